"""How long to wait before asking again."""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime


def delay(attempt: int, *, base: float = 0.5, longest: float = 20.0) -> float:
    """Seconds to wait after ``attempt`` (1, 2, …) failed: exponential, spread over the whole step ("full jitter")."""
    step = min(longest, base * 2 ** (attempt - 1))
    return step * random.uniform(0.2, 1.0)  # noqa: S311 - spreads load, keeps no secret


def read_retry_after(value: str | None) -> float | None:
    """Seconds from a ``Retry-After`` header (RFC 9110 section 10.2.3): a number or a date; None when unreadable."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
