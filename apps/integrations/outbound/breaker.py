"""Circuit breakers: a server that keeps failing is left alone, then tried by one call.

A server is a scheme, a host and a port: what fails under one says nothing of another. Where an account wrote the
address itself, its circuit is its own: one account's broken server, or one that it broke on purpose, shuts nobody
else's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from time import monotonic
from uuid import UUID

import httpx2

from apps.integrations.outbound.errors import CircuitOpen

FAILURES = 5
"""Failures in a row after which a circuit opens."""
OPEN_SECONDS = 30.0
"""How long nobody calls; then one call tries, and its result closes the circuit or opens it again."""
_MOST = 10_000
"""Circuits that are kept: accounts may write any number of addresses. The one that was not used for longest goes."""
_PORTS = {"http": 80, "https": 443}


class Breaker:
    """The circuit of one server. ``host`` is its name for people. Safe for threads."""

    def __init__(self, host: str, *, clock: Callable[[], float] | None = None) -> None:
        self.host = host
        self._clock = clock or monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None

    def before_call(self) -> None:
        """Raises CircuitOpen while the host is left alone. Lets one call through when the time is over."""
        with self._lock:
            if self._opened_at is None:
                return
            left = self._opened_at + OPEN_SECONDS - self._clock()
            if left > 0:
                raise CircuitOpen.about(self.host, "circuit open", retry_after=left, seconds=ceil(left))
            self._opened_at = self._clock()  # this call tries; the others go on waiting

    def succeeded(self) -> None:
        """The host answered."""
        with self._lock:
            self._failures, self._opened_at = 0, None

    def failed(self) -> None:
        """The host did not answer, or answered that it can't."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._opened_at = self._clock()


_breakers: OrderedDict[tuple[str, str, int | None, UUID | None], Breaker] = OrderedDict()
_lock = threading.Lock()


def breaker_for(url: httpx2.URL, *, written_by: UUID | None = None) -> Breaker:
    """The one breaker of this process for the server of ``url``, or for the account that wrote the address."""
    key = (url.scheme, url.host, url.port or _PORTS.get(url.scheme), written_by)
    with _lock:
        found = _breakers.setdefault(key, Breaker(url.host))
        _breakers.move_to_end(key)
        while len(_breakers) > _MOST:
            _breakers.popitem(last=False)
        return found


def close_all() -> None:
    """Forget every failure: for tests, and for an operator who knows that a host is back."""
    with _lock:
        _breakers.clear()
