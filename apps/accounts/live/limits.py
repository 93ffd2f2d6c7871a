"""How much one person, and one socket, may ask of a process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable


class Bucket:
    """A token bucket: ``burst`` at once, ``per_second`` in the long run."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._left, self._at = burst, time.monotonic()

    def take(self) -> bool:
        """Whether there was one left."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def is_full(self) -> bool:
        """Whether it is as if it had never been used."""
        return self._left + (time.monotonic() - self._at) * self._per_second >= self._burst


class Crowd:
    """How many sockets each person has open in this process, and how often they open one."""

    def __init__(self, most: int, burst: float, per_second: float) -> None:
        self._most, self._burst, self._per_second = most, burst, per_second
        self._open: Counter[Hashable] = Counter()
        self._buckets: dict[Hashable, Bucket] = {}

    def enter(self, person: Hashable) -> bool:
        """Whether they may open one more. If so, ``leave`` has to be called for it."""
        if len(self._buckets) > 1000:
            self._buckets = {known: bucket for known, bucket in self._buckets.items() if not bucket.is_full}
        bucket = self._buckets.setdefault(person, Bucket(self._burst, self._per_second))
        if not bucket.take() or self._open[person] >= self._most:
            return False
        self._open[person] += 1
        return True

    def leave(self, person: Hashable) -> None:
        """One socket less."""
        self._open[person] -= 1
        if self._open[person] <= 0:
            del self._open[person]
