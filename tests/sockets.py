"""A page's end of a socket, spoken to our application without a server between.

Channels brings the same, but its test package loads daphne, which nothing here needs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from config.sockets import sockets

PATIENCE = 30.0
"""Seconds: a busy machine is no fault."""


class Socket(ApplicationCommunicator):
    """Opened by a browser in which ``user`` is signed in (None: nobody is)."""

    def __init__(self, user: Any, path: str, **headers: str) -> None:
        client = Client()
        if user is not None:
            client.force_login(user)
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        named = {"host": "localhost", "origin": "http://localhost", "cookie": cookie, **headers}
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in named.items() if value],
            "subprotocols": [],
        }
        super().__init__(sockets, scope)

    async def open(self) -> bool:
        """Whether the handshake was answered by a socket."""
        await self.send_input({"type": "websocket.connect"})
        return bool((await self.receive_output(PATIENCE))["type"] == "websocket.accept")

    async def say(self, content: Any) -> None:
        """Send a message; text and bytes as they are."""
        kind = "bytes" if isinstance(content, bytes) else "text"
        raw = content if isinstance(content, bytes | str) else json.dumps(content)
        await self.send_input({"type": "websocket.receive", kind: raw})

    async def hear(self) -> dict[str, Any]:
        """The next message, or ``{"closed": code}``."""
        message = await self.receive_output(PATIENCE)
        if message["type"] == "websocket.close":
            return {"closed": message.get("code")}
        heard: dict[str, Any] = json.loads(message["text"])
        return heard

    async def hear_until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first message that is ``wanted``; those before it are passed over."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(heard := await self.hear()):
                pass
        return heard

    async def resume(self, after: int = 0) -> dict[str, Any]:
        """Open, say what was heard last, and return the answer."""
        assert await self.open()
        await self.say({"type": "resume", "after": after})
        return await self.hear_until(lambda heard: "closed" in heard or heard["type"] == "resumed")

    async def go(self) -> None:
        """Close the page."""
        with suppress(asyncio.CancelledError):
            await self.send_input({"type": "websocket.disconnect", "code": 1001})
            await self.wait(PATIENCE)
