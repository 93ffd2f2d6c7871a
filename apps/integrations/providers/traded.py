"""Short-lived access tokens for services that trade a credential for one: asked for once, then kept in memory.

They are kept per process and found by a digest of the credential, so that nobody gets the token of another, and a
replaced credential gets a new one. They are written nowhere: a token that is lost is asked for again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from apps.integrations.providers.oauth import Access

MARGIN = 60.0
"""Seconds before its end in which a token is used no more."""
_MOST = 2000

Trade = Callable[[], tuple[Access, float]]
"""Asks the service for a token; it and its life in seconds. Raises OutboundError."""


class _Place:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.access: Access | None = None
        self.until = 0.0


_places: OrderedDict[bytes, _Place] = OrderedDict()
_lock = threading.Lock()


def forget_all() -> None:
    """Forget every token of this process."""
    with _lock:
        _places.clear()


class Traded:
    """Gives a client its tokens (``AccessSource``): the one that is kept, or one that it trades for."""

    def __init__(self, trade: Trade, *names: Any, credentials: Mapping[str, str]) -> None:
        parts = [*names, dict(credentials)]
        self._key = hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).digest()
        self._trade = trade

    def access(self, *, refused: str = "") -> Access:
        """A token other than ``refused``. One caller asks, the others wait for it. Raises OutboundError."""
        place = self._place()
        with place.lock:
            known = place.access
            if known is None or time.monotonic() >= place.until or known.token == refused:
                place.access = None
                known, seconds = self._trade()
                place.access, place.until = known, time.monotonic() + max(0.0, seconds - MARGIN)
            return known

    def worked(self, token: str) -> None:
        """Nothing to keep."""

    def _place(self) -> _Place:
        with _lock:
            found = _places.setdefault(self._key, _Place())
            _places.move_to_end(self._key)
            while len(_places) > _MOST:
                _places.popitem(last=False)
            return found
