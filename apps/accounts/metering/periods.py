"""The periods of limits. All begin by the clock in UTC: a day at midnight, a month on its first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.accounts.models.limit import Limit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def start_of(period: str, at: datetime) -> datetime:
    """When the period that ``at`` lies in began; of "total", the beginning of time."""
    at = at.astimezone(UTC).replace(second=0, microsecond=0)
    match period:
        case Limit.Period.MINUTE:
            return at
        case Limit.Period.HOUR:
            return at.replace(minute=0)
        case Limit.Period.DAY:
            return at.replace(hour=0, minute=0)
        case Limit.Period.MONTH:
            return at.replace(day=1, hour=0, minute=0)
        case Limit.Period.TOTAL:
            return _EPOCH
    raise ValueError(f"No period {period!r}.")


def end_of(period: str, at: datetime) -> datetime | None:
    """When the next period begins; None for "total", which never ends."""
    start = start_of(period, at)
    match period:
        case Limit.Period.MINUTE:
            return start + timedelta(minutes=1)
        case Limit.Period.HOUR:
            return start + timedelta(hours=1)
        case Limit.Period.DAY:
            return start + timedelta(days=1)
        case Limit.Period.MONTH:
            return (start + timedelta(days=32)).replace(day=1)
    return None
