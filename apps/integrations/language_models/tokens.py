"""Counting tokens where nobody says: four bytes of text to a token, which holds roughly for every script."""

from __future__ import annotations

import orjson

from apps.integrations.contracts.ai import ChatRequest

_PER_MESSAGE = 8
"""What roles and separators add, roughly."""
ANSWER = 4096
"""Tokens that are set aside for an answer without a limit."""


def count(text: str) -> int:
    """About how many tokens ``text`` has."""
    return -(-len(text.encode()) // 4)


def count_request(request: ChatRequest) -> int:
    """About how many tokens the model reads."""
    texts = [request.system] if request.system else []
    for message in request.messages:
        calls = (call.name + orjson.dumps(dict(call.arguments)).decode() for call in message.tool_calls)
        texts.append("".join((message.text, *calls)))
    texts += [tool.name + tool.description + orjson.dumps(tool.parameters).decode() for tool in request.tools]
    return sum(count(text) + _PER_MESSAGE for text in texts)
