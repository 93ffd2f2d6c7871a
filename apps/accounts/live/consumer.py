"""A socket of one page in one account: who is let in, what goes out, and when it ends."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.accounts.api.problems import Problem
from apps.accounts.api.serializers import Input
from apps.accounts.doors import Entry
from apps.accounts.live import numbers
from apps.accounts.live.hub import hub
from apps.accounts.live.limits import Bucket, Crowd
from apps.accounts.live.messages import MOST_BYTES, Ping, Resume, read, refusal
from apps.accounts.live.visitors import Closed, Standing, session_key_of, standing
from apps.accounts.outages import is_outage
from apps.accounts.tenancy.consumers import AccountScope, in_thread

logger = logging.getLogger(__name__)

LOOK_SECONDS = 20.0
"""How often it is looked whether the person may still be here, and whether an announcement went by unheard."""
IDLE_SECONDS = 90.0
"""A page sends a ping every 25 seconds; one that says nothing for so long is gone."""
MOST_WAITING = 64
"""Messages that wait for a slow page. One more, and they become a single word that all is worth fetching anew."""
CROWD = Crowd(most=24, burst=30, per_second=0.5)


class LiveConsumer(AccountScope, AsyncWebsocketConsumer):
    """Tells a page what happens in its account. Subclasses say by which ``action`` one may listen, and what is told."""

    action: ClassVar[str]
    kinds: ClassVar[Mapping[str, type[Input]]] = {"ping": Ping, "resume": Resume}
    entry: Entry

    def __init__(self) -> None:
        super().__init__()
        self._person: UUID | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_WAITING)
        self._look = asyncio.Event()
        self._number = -1  # what the page was told last; before it resumed there is nothing to compare with
        self._messages = Bucket(burst=20, per_second=2)
        self._heard_at = time.monotonic()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        try:
            return await super().__call__(scope, receive, send)
        finally:
            await self._end()

    # Coming in -------------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Let in whoever may listen; everybody else is told by the code why not, which browsers show to no script
        unless the socket was open."""
        await self.accept()
        try:
            found = await self._standing()
        except Exception as error:
            if not is_outage(error):
                raise
            await self.close(Closed.UNAVAILABLE)
            return
        if found.refused or found.entry is None:
            await self.close(found.refused)
            return
        self.entry, self.account_id = found.entry, found.entry.account.id
        person = found.entry.actor.user_id
        if not CROWD.enter(person):
            await self.close(Closed.TOO_MANY)
            return
        self._person = person
        await hub().join(self.account_id, self)
        self._tasks = [asyncio.create_task(self._send_waiting()), asyncio.create_task(self._keep_looking())]
        await self.entered()

    async def entered(self) -> None:
        """For subclasses: somebody was let in."""

    async def _standing(self) -> Standing:
        slug = self.scope["url_route"]["kwargs"]["account_slug"]
        return await in_thread(standing, session_key_of(self.scope["headers"]), slug, self.action)

    # What the page says ----------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer one message; what is too much or too long ends the connection."""
        if self._person is None:
            return  # refused, and not yet gone
        if text_data is None:
            await self.close(Closed.NO_TEXT)
        elif len(text_data.encode()) > MOST_BYTES:
            await self.close(Closed.TOO_LARGE)
        elif not self._messages.take():
            await self.close(Closed.TOO_MANY)
        else:
            self._heard_at = time.monotonic()
            try:
                kind, values = read(text_data, self.kinds)
                await getattr(self, f"on_{kind}")(**values)
            except Problem as problem:
                self.tell(refusal(problem))
            except Exception as error:
                if not is_outage(error):
                    raise
                await self.close(Closed.UNAVAILABLE)

    async def on_ping(self) -> None:
        """A sign of life is answered by one."""
        self.tell({"type": "pong", "seq": max(self._number, 0)})

    async def on_resume(self, after: int) -> None:
        """Tell whether the page missed anything since it last heard, or was made."""
        number = await self.in_scope(numbers.current)
        self._number = max(self._number, number)
        self.tell({"type": "resumed", "seq": number, "missed": number != after})

    # What the page is told -------------------------------------------------------------------------------------------

    def notice(self, event: dict[str, Any]) -> None:
        """An event of the account, from the hub."""
        if event["kind"] == "changed":
            self._number = max(self._number, event["seq"])
            changes = [{"subject": subject, "parts": parts} for subject, parts in event["changes"]]
            self.tell({"type": "changed", "seq": event["seq"], "changes": changes})
        elif event["kind"] in {"access", "unsure"}:
            self._look.set()
        else:
            self.heard(event)

    def heard(self, event: dict[str, Any]) -> None:
        """For subclasses: an event of another kind."""

    def tell(self, message: dict[str, Any]) -> None:
        """Send ``message`` as soon as the page takes it."""
        try:
            self._outgoing.put_nowait(message)
        except asyncio.QueueFull:
            while not self._outgoing.empty():
                self._outgoing.get_nowait()
            self._outgoing.put_nowait({"type": "stale", "seq": max(self._number, 0)})

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that waits, after an event; it ends with the socket."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(work))

    async def _send_waiting(self) -> None:
        while True:
            message = await self._outgoing.get()
            await self.send(text_data=orjson.dumps(message).decode())

    # Until it ends ---------------------------------------------------------------------------------------------------

    async def _keep_looking(self) -> None:
        while True:
            with suppress(TimeoutError):
                # Not all at once after a restart.
                await asyncio.wait_for(self._look.wait(), LOOK_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311
            self._look.clear()
            if time.monotonic() - self._heard_at > IDLE_SECONDS:
                await self.close(Closed.IDLE)
                return
            try:
                found = await self._standing()
            except Exception as error:
                if not is_outage(error):
                    raise
                continue
            if found.refused or found.entry is None:
                await self.close(found.refused)
                return
            self.entry = found.entry
            if found.number > self._number >= 0:
                self._number = found.number
                self.tell({"type": "stale", "seq": found.number})

    async def disconnect(self, code: int) -> None:
        """The page went away, or was sent away."""
        await self._end()

    async def _end(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
        if self._person is not None:
            person, self._person = self._person, None
            CROWD.leave(person)
            assert self.account_id is not None
            await self.left()
            await hub().leave(self.account_id, self)

    async def left(self) -> None:
        """For subclasses: the socket ends."""
