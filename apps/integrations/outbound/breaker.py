"""Circuit breakers: a host that keeps failing is left alone, then tried by one call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from apps.integrations.outbound.errors import CircuitOpen

FAILURES = 5
"""Failures in a row after which a circuit opens."""
OPEN_SECONDS = 30.0
"""How long nobody calls; then one call tries, and its result closes the circuit or opens it again."""


class Breaker:
    """The circuit of one host. Safe for threads."""

    def __init__(self, host: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.host = host
        self._clock = clock
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
                raise CircuitOpen(f"{self.host} kept failing; next try in {left:.0f} s.", retry_after=left)
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


_breakers: dict[str, Breaker] = {}
_lock = threading.Lock()


def breaker_for(host: str) -> Breaker:
    """The one breaker of this process for ``host`` (with its port)."""
    with _lock:
        return _breakers.setdefault(host, Breaker(host))


def close_all() -> None:
    """Forget every failure: for tests, and for an operator who knows that a host is back."""
    with _lock:
        _breakers.clear()
