"""One subscription per account and process, and from there straight to the sockets of this process.

The channel layer subscribes twice per socket and queues without bound; this was five to ten times faster to the last of
500 sockets (docs/adr/0009). When the connection is lost, listeners are told that they may have missed something.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from redis import RedisError
from redis.asyncio import Redis

from apps.accounts.live.announcing import channel

logger = logging.getLogger(__name__)

Event = dict[str, Any]
UNSURE: Event = {"kind": "unsure"}
"""What listeners are told when events may have passed by unheard."""
QUIET_SECONDS = 10.0
"""After so long without a word the server is asked for a sign of life; after twice that the connection is given up."""
JOIN_SECONDS = 3.0
_LONGEST_PAUSE = 5.0


class Listener(Protocol):
    """A socket."""

    def notice(self, event: Event) -> None:
        """Take an event. Must neither wait nor raise."""


class Hub:
    """The subscriptions of one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[UUID, set[Listener]] = {}
        self._heard: dict[UUID, asyncio.Event] = {}
        self._server: Any = None
        self._pubsub: Any = None
        self._reader: asyncio.Task[None] | None = None

    async def join(self, account_id: UUID, listener: Listener) -> None:
        """From here on ``listener`` is told what happens in the account.

        Waits until the subscription stands, but not for ever: where the Redis server is away, UNSURE comes with it.
        """
        self._listeners.setdefault(account_id, set()).add(listener)
        heard = self._heard.get(account_id)
        if heard is None:
            heard = self._heard[account_id] = asyncio.Event()
            if self._pubsub is not None:
                with suppress(RedisError, OSError):  # the reader sees the same fault and begins anew
                    await self._pubsub.subscribe(channel(account_id))
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        with suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), JOIN_SECONDS)

    async def leave(self, account_id: UUID, listener: Listener) -> None:
        """The opposite of ``join``; harmless when repeated."""
        listeners = self._listeners.get(account_id, set())
        listeners.discard(listener)
        if listeners or account_id not in self._listeners:
            return
        del self._listeners[account_id]
        self._heard.pop(account_id, None)
        if self._listeners:
            if self._pubsub is not None:
                with suppress(RedisError, OSError):
                    await self._pubsub.unsubscribe(channel(account_id))
        elif self._reader is not None:
            reader, self._reader = self._reader, None
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    async def post(self, account_id: UUID, event: Mapping[str, Any]) -> None:
        """Send ``event`` to the account's sockets in all processes; where that fails, nobody hears it."""
        if self._server is not None:
            with suppress(RedisError, OSError):
                await self._server.publish(channel(account_id), json.dumps(event))

    async def _read(self) -> None:
        pause = 0.1
        try:
            while True:
                try:
                    await self._subscribe()
                    pause = 0.1
                    await self._hear()
                except (RedisError, OSError, TimeoutError) as error:
                    logger.warning("Events for open pages are not heard: %s", error)
                await self._disconnect()
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
        finally:
            await self._disconnect()

    async def _subscribe(self) -> None:
        self._server = Redis.from_url(
            settings.REDIS_URL, client_name=f"live-{os.getpid()}", socket_connect_timeout=2.0, socket_keepalive=True
        )
        pubsub = self._server.pubsub()
        accounts = list(self._listeners)
        await pubsub.subscribe(*map(channel, accounts))
        self._pubsub = pubsub
        if late := [account for account in self._listeners if account not in accounts]:
            await pubsub.subscribe(*map(channel, late))

    async def _hear(self) -> None:
        asked = False
        while True:
            message = await self._pubsub.get_message(timeout=QUIET_SECONDS)
            if message is None:
                if asked:
                    raise TimeoutError("The Redis server is silent.")
                await self._pubsub.ping()
            asked = message is None
            if message is not None:
                self._take(message)

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] not in {"subscribe", "message"}:
            return
        account_id = UUID(message["channel"].decode().rpartition(":")[2])
        if message["type"] == "message":
            self._tell(account_id, json.loads(message["data"]))
            return
        if heard := self._heard.get(account_id):
            heard.set()
        self._tell(account_id, UNSURE)

    def _tell(self, account_id: UUID, event: Event) -> None:
        for listener in tuple(self._listeners.get(account_id, ())):
            listener.notice(event)

    async def _disconnect(self) -> None:
        server, self._server, self._pubsub = self._server, None, None
        if server is not None:
            with suppress(RedisError, OSError):
                await server.aclose()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
