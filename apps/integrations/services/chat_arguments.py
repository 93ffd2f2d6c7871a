"""Rules for what models are asked."""

from __future__ import annotations

import re

from apps.integrations.contracts.ai import ChatRequest, Message
from apps.integrations.services.arguments import wrong

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def check(request: ChatRequest) -> None:
    """Raises ValidationError naming the argument."""
    _check_messages(request.messages)
    names = [tool.name for tool in request.tools]
    if not all(map(_NAME.fullmatch, names)) or len(set(names)) < len(names):
        raise wrong("tools", "Tools have different names of up to 64 letters, digits, _ and -.", "tool_name")
    if request.tool_choice not in {"auto", "any", "none", *names}:
        raise wrong("tool_choice", "Must be auto, any, none, or the name of a tool.", "choice")
    if request.max_tokens is not None and request.max_tokens < 1:
        raise wrong("max_tokens", "Must be at least 1.", "min_value")
    if request.temperature is not None and not 0 <= request.temperature <= 2:
        raise wrong("temperature", "Must be between 0 and 2.", "range")
    if any(not word for word in request.stop):
        raise wrong("stop", "A stop word can't be empty.", "required")


def _check_messages(messages: tuple[Message, ...] | object) -> None:
    assert isinstance(messages, tuple)
    if not messages:
        raise wrong("messages", "Say something.", "required")
    if messages[-1].role == "assistant":
        raise wrong("messages", "The last message must be from a person or a tool.", "last_role")
    asked: set[str] = set()
    for message in messages:
        asked.update(call.id for call in message.tool_calls)
        if message.role == "tool" and message.answers not in asked:
            raise wrong("messages", "A tool's message must answer a call that was made before.", "unknown_call")
        if message.role == "user" and not message.text.strip():
            raise wrong("messages", "A message can't be empty.", "required")
