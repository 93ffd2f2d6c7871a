"""One answer, as it is written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from apps.integrations.contracts.ai import ChatPart, ChatRequest, ChatResult
from apps.integrations.language_models.collecting import Collector
from apps.integrations.outbound.deadline import set_deadline
from apps.integrations.outbound.errors import BadAnswer, BrokenOff, OutboundError
from apps.integrations.outbound.lent import LentConnection

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

logger = logging.getLogger(__name__)

MAXIMUM_SECONDS = 600.0
"""For a whole answer."""

Tell = Callable[[BaseException], OutboundError | None]
"""What an error of a library means, in our terms; None when it says nothing that we know."""


class Turn:
    """An answer that is being written (``contracts.ai.ChatTurn``).

    Each step runs in a context of its own, with its own deadline: a generator would share its consumer's. So it may be
    read from whichever thread, one after the other.
    """

    def __init__(
        self,
        request: ChatRequest,
        connection: LentConnection,
        ask: Callable[[], Iterator[AIMessageChunk]],
        tell: Tell,
        label: str,
        *,
        seconds: float | None = None,
    ) -> None:
        self._connection = connection
        self._ask, self._tell, self._label = ask, tell, label
        self._seconds = MAXIMUM_SECONDS if seconds is None else seconds
        self._collector = Collector(request)
        self._context: Context | None = None
        self._chunks: Iterator[AIMessageChunk] | None = None
        self._closed = False

    def __iter__(self) -> Iterator[ChatPart]:
        return self

    def __next__(self) -> ChatPart:
        if self._closed:
            raise StopIteration
        if self._context is None:
            self._context = copy_context()
            self._context.run(set_deadline, self._seconds)
        try:
            part = self._context.run(self._step)
        except Exception as error:
            self.close()
            raise self._told(error) from None
        if part is None:
            self.close()
            if self._collector.finish is None:
                raise BrokenOff.about(self._label, "no finish")
            raise StopIteration
        return part

    def _step(self) -> ChatPart | None:
        if self._chunks is None:
            self._chunks = self._ask()
        for chunk in self._chunks:
            part = self._collector.add(chunk)
            if part is not None:
                return part
        return None

    def _told(self, error: Exception) -> OutboundError:
        if self._connection.error is not None:
            return self._connection.error
        if isinstance(error, OutboundError):
            return error
        told = self._tell(error)
        if told is None:
            # Only its kind: the words may hold what was asked.
            logger.warning("%s: an answer could not be read (%s).", self._label, type(error).__name__)
            told = BadAnswer.about(self._label, "the answer can't be read")
        return told

    @property
    def result(self) -> ChatResult:
        """What came so far; all of it at the end."""
        return self._collector.result()

    def abort(self) -> None:
        """End the connection, from any thread."""
        self._connection.abort()

    def close(self) -> None:
        """End the connection. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        chunks: Any = self._chunks
        self._chunks = None
        try:
            if chunks is not None and self._context is not None:
                self._context.run(chunks.close)
        finally:
            self._connection.close()
