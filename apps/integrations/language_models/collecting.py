"""LangChain's chunks to our parts, and all of them to one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from apps.integrations.contracts.ai import ChatPart, ChatRequest, ChatResult, Finish, TokenUsage, ToolCall, ToolCallPart
from apps.integrations.language_models.tokens import count, count_request

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

# Every service's words for why it ended. What is not here is taken as "held back": the answer is not what was wanted.
_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "max_output_tokens": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
}


class Collector:
    """What came so far."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._texts: list[str] = []
        self._calls: dict[int, list[str]] = {}
        self._usage: list[Any] = []
        self._read: dict[str, Any] | None = None
        self._thought = False
        self._model = ""
        self.finish: Finish | None = None

    def add(self, chunk: AIMessageChunk) -> ChatPart | None:
        """The part in ``chunk``; None when there is nothing in it to show."""
        if chunk.usage_metadata:
            self._usage.append(chunk.usage_metadata)
        if chunk.response_metadata:
            self._note(chunk.response_metadata)
        content = chunk.content
        text = content if isinstance(content, str) else str(chunk.text)
        if text:
            self._texts.append(text)
        calls = tuple(self._call(piece) for piece in chunk.tool_call_chunks) if chunk.tool_call_chunks else ()
        return ChatPart(text=text, tool_calls=calls) if text or calls else None

    def _note(self, metadata: dict[str, Any]) -> None:
        self._read = metadata.get("read_so_far") or self._read
        self._model = metadata.get("model_name") or metadata.get("model") or self._model
        reason = metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("status")
        details = metadata.get("incomplete_details")
        if isinstance(details, dict):
            reason = details.get("reason") or reason
        if reason:
            self.finish = _FINISHES.get(str(reason).lower(), "filtered")

    def _call(self, piece: Any) -> ToolCallPart:
        index, id, name = piece.get("index"), piece.get("id") or "", piece.get("name") or ""
        if not isinstance(index, int):  # a service that sends calls whole
            index = len(self._calls)
        known = self._calls.setdefault(index, ["", "", ""])
        arguments = piece.get("args") or ""
        known[0], known[1], known[2] = known[0] or id, known[1] or name, known[2] + arguments
        return ToolCallPart(index=index, id=id, name=name, arguments=arguments)

    def result(self) -> ChatResult:
        """All that came."""
        calls = tuple(_tool_call(*self._calls[index]) for index in sorted(self._calls))
        finish: Finish | None = "tool_calls" if calls and self.finish == "stop" else self.finish
        text = "".join(self._texts)
        return ChatResult(
            text=text,
            tool_calls=calls,
            finish=finish,
            usage=self._tokens(text),
            model=self._model or self._request.model,
        )

    def _tokens(self, text: str) -> TokenUsage:
        if self._usage and (self.finish is not None or any(usage["output_tokens"] for usage in self._usage)):
            details = [usage.get("input_token_details") or {} for usage in self._usage]
            said = TokenUsage(
                input=sum(usage["input_tokens"] for usage in self._usage),
                output=sum(usage["output_tokens"] for usage in self._usage),
                cached=sum(detail.get("cache_read") or 0 for detail in details),
                cache_written=sum(_written(detail) for detail in details),
            )
            if said.input or self._read is None:
                return said
            return TokenUsage(**{**self._read, "output": said.output})
        written = text + "".join("".join(call[1:]) for call in self._calls.values())
        read: dict[str, Any] = self._read or {"input": count_request(self._request)}
        return TokenUsage(**{**read, "output": count(written), "estimated": True})


def _written(detail: Any) -> int:
    total: int = detail.get("cache_creation") or 0
    return total or sum(value or 0 for name, value in detail.items() if name.startswith("ephemeral_"))


def _tool_call(id: str, name: str, arguments: str) -> ToolCall:
    try:
        parsed = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        parsed = None
    if isinstance(parsed, dict):
        return ToolCall(id=id, name=name, arguments=parsed)
    return ToolCall(id=id, name=name, faulty=arguments)
