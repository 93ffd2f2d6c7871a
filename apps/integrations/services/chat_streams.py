"""Answers as they are written: read by threads or event loops, settled once, however they end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from asgiref.sync import sync_to_async

from apps.accounts.tenancy.apart import Threads
from apps.accounts.tenancy.scope import current_account_id
from apps.integrations.contracts.ai import ChatPart, ChatRequest, ChatResult, ChatTurn
from apps.integrations.language_models.lines import used_of
from apps.integrations.services.calling import Call

logger = logging.getLogger(__name__)

_READERS = Threads("ai-stream", 64)
"""Each answer that an event loop waits for holds one."""


@dataclass(frozen=True, kw_only=True)
class ChatAnswer(ChatResult):
    """A whole answer, and what it cost in the platform's currency; None when nobody knows the price."""

    cost: Decimal | None


class ChatStream:
    """An answer as it is written. Close it, or use it as a context manager: what was used is settled then."""

    def __init__(self, call: Call, request: ChatRequest) -> None:
        self._call, self._request = call, request
        self._given_up = False
        self._turn: ChatTurn = call.client.chat(request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[ChatPart]:
        return self

    def __next__(self) -> ChatPart:
        if current_account_id() is not None:
            raise RuntimeError("Read the answer outside of the scope: it would hold the transaction open for minutes.")
        return self._next()

    def _next(self) -> ChatPart:
        try:
            return next(self._turn)
        except StopIteration:
            self._end()
            raise
        except BaseException as error:
            self._end(None if self._given_up else error)
            raise

    def read_all(self) -> None:
        """Wait for the whole answer, in a scope too. Raises OutboundError."""
        try:
            while True:
                self._next()
        except StopIteration:
            pass

    def close(self) -> None:
        """End the connection, and settle what was used. A second time does nothing."""
        self._end()

    def give_up(self) -> None:
        """From any thread: whoever reads gets an error, and the connection ends. That is no fault of the service."""
        self._given_up = True
        self._turn.abort()

    def _end(self, error: BaseException | None = None) -> None:
        if self._call.finished:
            return
        try:
            self._turn.close()
        finally:
            usage = self._turn.result.usage
            if error is None or usage.output:  # else nothing came, and services don't bill what they refuse
                self._call.used = used_of(self._call.integration.provider, self._request.model, usage)
            self._call.finish(error)

    def __del__(self) -> None:
        if hasattr(self, "_turn") and not self._call.finished:
            logger.warning("An answer was dropped without being closed.")
            self._end()

    @property
    def answer(self) -> ChatAnswer:
        """All of it when it has ended, and what it cost; what came, when it was closed before."""
        return ChatAnswer(**vars(self._turn.result), cost=self._call.cost)


class AsyncChatStream:
    """The same for event loops: each step is made by a thread, since our guarded connections are made for threads.

    A cancelled reader ends the connection at once.
    """

    def __init__(self, begin: Callable[[], ChatStream]) -> None:
        self._begin = begin
        self._stream: ChatStream | None = None

    async def __aenter__(self) -> Self:
        self._stream = await sync_to_async(self._begin)()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatPart:
        assert self._stream is not None, "enter it first"
        stream = self._stream
        step = self._in_thread(lambda: next(stream, None))
        try:
            part: ChatPart | None = await asyncio.shield(step)
        except asyncio.CancelledError:
            stream.give_up()
            await asyncio.gather(step, return_exceptions=True)
            raise
        if part is None:
            raise StopAsyncIteration
        return part

    async def aclose(self) -> None:
        """End the connection, and settle what was used. A second time does nothing."""
        if self._stream is not None:
            await asyncio.shield(self._in_thread(self._stream.close))

    @property
    def answer(self) -> ChatAnswer:
        """As of ``ChatStream``."""
        assert self._stream is not None, "enter it first"
        return self._stream.answer

    @staticmethod
    def _in_thread(work: Callable[[], Any]) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(_READERS.executor(), work)
