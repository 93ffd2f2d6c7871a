"""How many requests an API key may make in an hour, counted for all processes together.

Hours are those of the clock. The count lies in the cache server: losing it gives a key at most one more hour's
worth of requests, and counting in the database would make a write of every read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core.cache import cache

_HOUR = 3600


@dataclass(frozen=True)
class Spent:
    """Where a key stands after a request: ``used`` of ``limit`` in the hour that ends at ``resets_at``."""

    limit: int
    used: int
    resets_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether this request was one too many."""
        return self.used > self.limit

    @property
    def remaining(self) -> int:
        """How many requests are left in this hour."""
        return max(0, self.limit - self.used)

    def seconds_left(self, now: datetime) -> int:
        """Whole seconds until the next hour begins, at least one."""
        return max(1, math.ceil((self.resets_at - now).total_seconds()))


def count_call(key_id: UUID, limit: int, *, now: datetime) -> Spent:
    """Count one request of a key; refused ones count too."""
    hour = int(now.timestamp()) // _HOUR
    name = f"api-calls:{key_id}:{hour}"
    try:
        used = cache.incr(name)
    except ValueError:  # the first of the hour; another process may be quicker
        used = 1 if cache.add(name, 1, _HOUR + 60) else cache.incr(name)
    return Spent(limit, used, datetime.fromtimestamp(hour * _HOUR, UTC) + timedelta(seconds=_HOUR))
