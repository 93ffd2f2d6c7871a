"""Language models: conversations, and texts as vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Finish = Literal["stop", "length", "tool_calls", "filtered"]
"""Why the model ended: it was done (or met a stop word), had no room left, wants tools called, or was held back."""


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """The model asks for a tool. ``id`` comes back with the result; ``arguments`` by the tool's own schema.

    Models make mistakes: ``faulty`` holds what they wrote when it is no JSON object, and ``arguments`` is empty then.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    faulty: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of a conversation. ``tool``: the result of the call with the id ``answers``; ``failed`` if it was none.

    What the model said and asked for goes back as ``assistant``, with its ``tool_calls``.
    """

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Something the model may ask for. ``parameters`` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """What a model is asked. ``max_tokens`` None: as much as the service gives.

    ``tool_choice``: "auto", "none", "any" (one of them must be called), or a tool's name (this one must).
    Models that refuse a ``temperature`` are not told it; those that refuse to be forced get "auto" for the latter two.
    """

    model: str
    messages: Sequence[Message]
    system: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"


@dataclass(frozen=True, kw_only=True)
class TokenUsage:
    """Tokens of one call. ``input`` is all that was read; ``cached`` and ``cache_written`` are parts of it.

    ``estimated``: the service did not say, so at least one number is counted from the text, four bytes to a token.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_written: int = 0
    estimated: bool = False


@dataclass(frozen=True, kw_only=True)
class ToolCallPart:
    """A piece of a tool call. Pieces with one ``index`` belong together; ``arguments`` are pieces of JSON text."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, kw_only=True)
class ChatPart:
    """What came next."""

    text: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChatResult:
    """A whole answer. ``model``: which one answered, as the service puts it. ``finish`` None: it was broken off."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish: Finish | None
    usage: TokenUsage
    model: str

    @property
    def message(self) -> Message:
        """As it goes back in the next request."""
        return Message(role="assistant", text=self.text, tool_calls=self.tool_calls)


class ChatTurn(Protocol):
    """An answer that is being written. It must be closed; what was read so far is in ``result``."""

    def __iter__(self) -> Iterator[ChatPart]: ...

    def __next__(self) -> ChatPart:
        """The next part; at most ``deadline`` seconds pass in all. Raises OutboundError."""

    @property
    def result(self) -> ChatResult:
        """What came so far; all of it at the end."""

    def abort(self) -> None:
        """End the connection, from any thread: a ``__next__`` under way in another one ends with an error."""

    def close(self) -> None:
        """End the connection. A second time does nothing."""


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Vectors, in the order of their texts."""

    vectors: Sequence[Sequence[float]]
    model: str
    usage: TokenUsage

    @property
    def dimensions(self) -> int:
        """Numbers per vector; 0 without one."""
        return len(self.vectors[0]) if self.vectors else 0


class LanguageModels(Protocol):
    """What clients of the category offer; ``embed`` only of those that list ``ai.embed``."""

    texts_per_call: int
    """How many texts the service takes at once."""

    def chat(self, request: ChatRequest) -> ChatTurn:
        """Ask. Nothing is sent before the first part is read."""

    def embed(self, texts: Sequence[str], *, model: str, dimensions: int | None = None) -> Embeddings:
        """One batch of at most ``texts_per_call`` texts as vectors. Raises OutboundError."""
