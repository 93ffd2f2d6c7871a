"""Callers that a server has asked to wait: this process leaves it alone until then, whoever else asks meanwhile.

A circuit (``outbound/breaker.py``) is of a server that fails; this is of one key at a server that works.
"""

from __future__ import annotations

import threading
from time import monotonic

from apps.integrations.zerodb.client.errors import TooManyRequests

MOST_SECONDS = 60.0
"""The longest rest: a server that asks for hours is asked once a minute whether it meant it."""
_MOST = 10_000

Caller = tuple[str, bytes]
"""The server, and a digest of the key."""

_until: dict[Caller, tuple[float, TooManyRequests]] = {}
_lock = threading.Lock()


def begin(caller: Caller, refusal: TooManyRequests) -> None:
    """The server refused this caller for its rate."""
    with _lock:
        if len(_until) >= _MOST:
            _until.clear()
        _until[caller] = (monotonic() + min(refusal.retry_after or 0.0, MOST_SECONDS), refusal)


def require_none(caller: Caller) -> None:
    """Raises TooManyRequests, with what is left of the time, while the caller rests."""
    until, refusal = _until.get(caller, (0.0, None))
    left = until - monotonic()
    if refusal is None:
        return
    if left <= 0:
        _until.pop(caller, None)
        return
    raise TooManyRequests(refusal.status, refusal.code, refusal.detail, retry_after=left)


def forget_all() -> None:
    """For tests, and for an operator who knows that the server is ready again."""
    _until.clear()
