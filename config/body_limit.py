"""How large a request to an address may be that anybody may write to, stopped before it is stored anywhere.

Django reads a body to its end, into a file when it is large, before a view can look at it. The door for deliveries of
outside services knows no caller, so what is too large for it is not even read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

LIMITS = {"/hooks/": 1024 * 1024}
"""Bytes, by how the path begins."""


def limited(app: App) -> App:
    """``app``, but 413 for a body over ``LIMITS``: at once where its size is told, else when it is passed."""

    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        most = next((limit for prefix, limit in LIMITS.items() if scope.get("path", "").startswith(prefix)), None)
        if most is None or scope["type"] != "http":
            await app(scope, receive, send)
            return
        if _told(scope) > most:
            await _refuse(send)
            return
        read, begun = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return {"type": "http.disconnect"} if read > most else message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        await app(scope, counted, noted)
        if read > most and not begun:
            await _refuse(send)

    return guarded


def _told(scope: dict[str, Any]) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"The delivery is too large.\n"})
