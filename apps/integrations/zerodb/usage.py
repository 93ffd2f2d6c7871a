"""What an account's AI project was used for, by day, read from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from apps.accounts.metering.selectors import Group, every_day, total, usage

SOURCE = "zerodb"
"""Where searches, embeddings and vectors are metered; the same words as units."""
SEARCHES, EMBEDDINGS, VECTORS = "searches", "embeddings", "vectors"
LOOKUPS = "lookups"
"""Searches that nobody asked for, as a page shows similar conversations beside others: in no limit of searches."""
DAYS = 30


@dataclass(frozen=True)
class MonthOfUse:
    """This month (UTC) so far, and the last DAYS days, each once. ``resets_on`` is the first of the next month."""

    searches: int
    lookups: int
    embeddings: int
    vectors: int
    average_ms: int | None
    resets_on: date
    days: list[Group]


def month_of_use(now: datetime) -> MonthOfUse:
    """Of the account in scope."""
    today = now.astimezone(UTC).date()
    first = today.replace(day=1)
    begin = min(first, today - timedelta(days=DAYS - 1))
    days = every_day(usage("day", begin, today, source=SOURCE), begin, today)
    whole = total([one for one in days if one.key >= first])
    searches = total(usage("unit", first, today, source=SOURCE, unit=SEARCHES))
    return MonthOfUse(
        searches=quantity(whole, SEARCHES),
        lookups=quantity(whole, LOOKUPS),
        embeddings=quantity(whole, EMBEDDINGS),
        vectors=quantity(whole, VECTORS),
        average_ms=searches.average_ms,
        resets_on=(first + timedelta(days=32)).replace(day=1),
        days=days[-DAYS:],
    )


def searches_this_month(now: datetime) -> int:
    """Of the account in scope."""
    today = now.astimezone(UTC).date()
    return quantity(total(usage("unit", today.replace(day=1), today, source=SOURCE, unit=SEARCHES)), SEARCHES)


def quantity(group: Group, unit: str) -> int:
    """How many of a unit a group holds."""
    return int(group.quantities.get(unit, Decimal(0)))
