"""An end for a whole call, however slowly the other side drips.

Timeouts of sockets start anew with every byte: a host that sends one byte every 29 seconds holds a worker for ever. So
a call sets a deadline, and every read and write of its connection waits no longer than what is left of it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore2

_deadline: ContextVar[float | None] = ContextVar("outbound_deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End the calls made inside ``seconds`` from now (of the monotonic clock), with a timeout."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def set_deadline(seconds: float) -> None:
    """The same until the end of the context (``contextvars.Context``) that this is called in."""
    _deadline.set(time.monotonic() + seconds)


def within_reach(seconds: float) -> float:
    """``seconds``, or what is left of the deadline when that is less; 0 when nothing is."""
    deadline = _deadline.get()
    return seconds if deadline is None else max(0.0, min(seconds, deadline - time.monotonic()))


def left(timeout: float | None) -> float | None:
    """``timeout``, or what is left of the deadline when that is less. Raises ReadTimeout when nothing is."""
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    rest = deadline - time.monotonic()
    if rest <= 0:
        raise httpcore2.ReadTimeout("the call took too long")
    return rest if timeout is None else min(timeout, rest)


class BoundStream(httpcore2.NetworkStream):
    """A connection whose every step keeps to the deadline of the call that uses it at that moment."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At most ``max_bytes``. Raises ReadTimeout."""
        return self._stream.read(max_bytes, left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of ``buffer``. Raises WriteTimeout."""
        self._stream.write(buffer, left(timeout))

    def close(self) -> None:
        """End the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The same connection under TLS."""
        return BoundStream(self._stream.start_tls(ssl_context, server_hostname, left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self._stream.get_extra_info(info)
