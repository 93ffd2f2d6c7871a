"""Where a month is going, who costs most, and how it went before. In an account's scope, or in the platform's.

The rule: what was spent so far, and for the rest of the month the rate of the last seven days (of as many as there
were, at least one). What is held (``lines.HELD``) is counted when it comes and not every day, so it stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth

from apps.accounts.metering.lines import HELD
from apps.accounts.metering.periods import end_of
from apps.accounts.models import DailyUsage, Limit

ZERO = Decimal(0)
WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Forecast:
    """``spent`` so far in the month, ``rate`` a day lately, ``expected`` at its end. ``unpriced`` lines are in none."""

    spent: Decimal
    rate: Decimal
    expected: Decimal
    unpriced: int = 0


def forecast(now: datetime, **conditions: Any) -> Forecast:
    """Of the month of ``now``; ``conditions`` narrow it to rows of DailyUsage (``source="zerodb"``)."""
    today = now.astimezone(UTC).date()
    first, since = today.replace(day=1), today - WINDOW
    flows = ~Q(unit__in=HELD)
    in_month = Q(day__gte=first)
    rows = DailyUsage.objects.filter(day__gte=min(first, since), day__lte=today, **conditions)
    sums = rows.aggregate(
        spent=Sum("cost", filter=in_month),
        unpriced=Sum("unpriced", filter=in_month),
        lately=Sum("cost", filter=flows & Q(day__gte=since)),
    )
    began = rows.filter(flows, day__gte=since).order_by("day").values_list("day", flat=True).first()
    rate = (sums["lately"] or ZERO) / _days(_midnight(began), now) if began else ZERO
    end = end_of(Limit.Period.MONTH, now)
    assert end is not None
    spent = sums["spent"] or ZERO
    return Forecast(spent, rate, spent + rate * _days(now, end, least=ZERO), sums["unpriced"] or 0)


def _days(start: datetime, end: datetime, least: Decimal = Decimal(1)) -> Decimal:
    return max(least, Decimal((end - start) / timedelta(days=1)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class AccountCost:
    """What one account cost in a month; ``of_source`` is the part of the source that was asked for."""

    account_id: UUID
    name: str
    cost: Decimal
    of_source: Decimal
    unpriced: int


def top_accounts(now: datetime, source: str, most: int) -> list[AccountCost]:
    """The accounts that cost most in the month of ``now``, in the platform's scope."""
    today = now.astimezone(UTC).date()
    rows = DailyUsage.objects.filter(day__gte=today.replace(day=1), day__lte=today).order_by()
    sums = rows.values("account_id", "account__name").annotate(
        spent=Sum("cost"), part=Sum("cost", filter=Q(source=source)), without=Sum("unpriced")
    )
    return [
        AccountCost(row["account_id"], row["account__name"], row["spent"], row["part"] or ZERO, row["without"])
        for row in sums.order_by("-spent", "account_id")[:most]
    ]


@dataclass(frozen=True)
class MonthCost:
    """What one month cost, and the part of the source that was asked for."""

    month: date
    cost: Decimal = ZERO
    of_source: Decimal = ZERO
    unpriced: int = 0


def trend(now: datetime, source: str, months: int = 12) -> list[MonthCost]:
    """The last months up to this one, each once, also those in which nothing happened."""
    names = [now.astimezone(UTC).date().replace(day=1)]
    while len(names) < months:
        names.append((names[-1] - timedelta(days=1)).replace(day=1))
    rows = DailyUsage.objects.filter(day__gte=names[-1]).order_by().annotate(month=TruncMonth("day")).values("month")
    sums = rows.annotate(spent=Sum("cost"), part=Sum("cost", filter=Q(source=source)), without=Sum("unpriced"))
    known = {row["month"]: MonthCost(row["month"], row["spent"], row["part"] or ZERO, row["without"]) for row in sums}
    return [known.get(name) or MonthCost(name) for name in reversed(names)]
