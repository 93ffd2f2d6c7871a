"""Who of the team has which conversation open, as one socket hears of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

KEEP_SECONDS = 60.0
"""Somebody of whom nothing was heard for so long is gone: a page says every 25 seconds where it is."""


@dataclass(frozen=True)
class _Sighting:
    member: UUID
    is_writing: bool
    until: float


class Company:
    """The others at one conversation. Each of a member's pages counts by itself."""

    def __init__(self) -> None:
        self._seen: dict[str, _Sighting] = {}

    def note(self, page: str, member: UUID, is_writing: bool) -> bool:
        """``page`` of ``member`` is here. Returns whether that is news."""
        before = self.members()
        self._seen[page] = _Sighting(member, is_writing, time.monotonic() + KEEP_SECONDS)
        return self.members() != before

    def forget(self, page: str) -> bool:
        """``page`` went away. Returns whether that is news."""
        before = self.members()
        self._seen.pop(page, None)
        return self.members() != before

    def clear(self) -> None:
        """Nobody is here."""
        self._seen.clear()

    def members(self) -> dict[UUID, bool]:
        """Who is here, and whether they write."""
        now = time.monotonic()
        found: dict[UUID, bool] = {}
        for sighting in self._seen.values():
            if sighting.until > now:
                found[sighting.member] = sighting.is_writing or found.get(sighting.member, False)
        return found
