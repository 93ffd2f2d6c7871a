"""Calls per minute of a project, by its tier. Off unless the operator switches them on.

The vendor's papers name these numbers and its server enforces none; neither do we by default.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.core.cache import cache

from apps.integrations.models import ZeroProject
from apps.integrations.zerodb.server.errors import ApiError
from apps.integrations.zerodb.server.tiers import TIERS

Kind = Literal["store", "search"]
_WINDOW = 60


@dataclass(frozen=True)
class Allowance:
    """What is left of this minute; ``reset`` is its end in seconds since 1970."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """As clients read it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class TooManyCalls(ApiError):
    """429 that waiting cures."""

    def __init__(self, allowance: Allowance, kind: Kind, tier: str) -> None:
        super().__init__(
            429,
            "RATE_LIMIT_EXCEEDED",
            f"Rate limit exceeded: {allowance.limit} {kind} calls per minute in tier '{tier}'.",
            retry_after=max(1, allowance.reset - int(time.time())),
        )
        self.allowance = allowance


def take(project: ZeroProject, kind: Kind) -> Allowance | None:
    """Count one call; None where nothing is counted. Raises TooManyCalls."""
    tier = TIERS.get(project.tier)
    limit = None if tier is None else tier.stores if kind == "store" else tier.searches
    if not settings.ZERODB_RATE_LIMITS or limit is None:
        return None
    minute = int(time.time()) // _WINDOW
    key = f"zerodb:calls:{project.id}:{kind}:{minute}"
    cache.add(key, 0, 2 * _WINDOW)
    used = cache.incr(key)
    allowance = Allowance(limit, max(0, limit - used), (minute + 1) * _WINDOW)
    if used > limit:
        raise TooManyCalls(allowance, kind, project.tier)
    return allowance
