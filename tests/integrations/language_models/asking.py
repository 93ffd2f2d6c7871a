"""Asking a stand-in through each provider's client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.integrations.contracts.ai import ChatRequest, ChatResult, Message, Tool
from apps.integrations.outbound.addresses import AllowList
from apps.integrations.providers import provider

KEY = "sk-ant-api03-4eC39HqLyjWDarjtT1zdp7dcwxyz"
PATHS = {"anthropic": "/v1", "openai": "/v1", "google_ai": "/v1beta", "openai_compatible": "/v1"}
WEATHER = Tool(
    name="weather",
    description="The weather of a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
HELLO = Message(role="user", text="Hello, who are you?")


def request(**values: Any) -> ChatRequest:
    return ChatRequest(**{"model": "a-model", "messages": (HELLO,), **values})


def client(name: str, *, allowed: AllowList = AllowList(), **settings: Any) -> Any:  # noqa: B008 - frozen
    definition = provider(name)
    return definition.client_class(definition, {"api_key": KEY}, settings, attempts=1, allowed=allowed)


@dataclass
class Heard:
    """A whole turn, read."""

    parts: list[Any]
    result: ChatResult


def ask(name: str, asked: ChatRequest | None = None, **options: Any) -> Heard:
    """Read a turn to its end. Raises OutboundError."""
    with client(name, **options) as service:
        turn = service.chat(asked or request())
        try:
            parts = list(turn)
        finally:
            turn.close()
        return Heard(parts, turn.result)
