"""Which limits hold for a piece of work, and what has been seen of each in its period.

Whoever reserves or settles holds the account's lock shared, so they don't wait for one another there. A counter that
does not exist yet (a new limit, a new period) is made under the same lock held alone: nobody is settling meanwhile, so
what was used already, and what is reserved, is summed up whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from apps.accounts.metering.lines import Line, Work
from apps.accounts.metering.periods import end_of, start_of
from apps.accounts.metering.prices import Priced, price_lines
from apps.accounts.models import Counter, DailyUsage, Limit, Reservation, UsageEvent

ZERO = Decimal(0)
LOCK_WAIT = timedelta(seconds=5)
"""How long the ledger waits for a lock that somebody else holds."""


@dataclass(frozen=True)
class Amount:
    """What lines come to for one limit; ``unpriced`` of them cost nobody knows what."""

    value: Decimal
    unpriced: int = 0


def lock_ledger(account_id: UUID, *, alone: bool = False) -> None:
    """Keep counters from being made (or anything from being counted, ``alone``) until the transaction ends.

    From here on the transaction waits LOCK_WAIT for a lock, and no longer: a caller of ``beside`` may hold what
    somebody waits for who holds a counter, and PostgreSQL does not see that the two belong together.
    """
    function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_WAIT // timedelta(milliseconds=1)}ms"])
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"metering:{account_id}"])


def limits_for(work: Work) -> list[Limit]:
    """The limits that hold for the work, in the order in which their counters are locked."""
    own = Q(user_id=None) | Q(user_id=work.user_id) if work.user_id else Q(user_id=None)
    keys = Q(api_key_id=None) | Q(api_key_id=work.api_key_id) if work.api_key_id else Q(api_key_id=None)
    sources = {"", work.source, work.cause}
    rows = Limit.objects.filter(own, keys, source__in=sources).order_by("id")
    return [limit for limit in rows if fits(limit, work)]


def fits(limit: Limit, work: Work) -> bool:
    """Whether the work counts towards the limit."""
    if limit.user_id not in {None, work.user_id} or limit.api_key_id not in {None, work.api_key_id}:
        return False
    places = ((work.source, work.subject), (work.cause, work.cause_subject))
    return not limit.source or any(
        limit.source == source and limit.subject in {None, subject} for source, subject in places
    )


def amount_for(limit: Limit, priced: Iterable[Priced]) -> Amount | None:
    """What the lines come to; None when the limit is about another unit."""
    if limit.is_cost:
        costs = [line.cost for line in priced]
        known = [cost for cost in costs if cost is not None]
        return Amount(sum(known, ZERO), len(costs) - len(known))
    amounts = [line.line.amount for line in priced if line.line.unit == limit.unit]
    return Amount(sum(amounts, ZERO)) if amounts else None


def counters_of(limits: Sequence[Limit], at: datetime) -> dict[UUID, Counter]:
    """The counters that exist for the limits' periods around ``at``, by limit."""
    periods = Q()
    for period in {limit.period for limit in limits}:
        of_period = [limit.id for limit in limits if limit.period == period]
        periods |= Q(limit_id__in=of_period, period_start=start_of(period, at))
    return {row.limit_id: row for row in Counter.objects.filter(periods)} if limits else {}


def open_counters(account_id: UUID, limits: Sequence[Limit], at: datetime) -> None:
    """Make the counters that are missing for the periods around ``at``, with what those periods have seen already.

    Call it in a transaction of its own, in the account's scope.
    """
    lock_ledger(account_id, alone=True)
    there = counters_of(limits, at)
    # Again under the lock: a limit may be gone by now.
    for limit in Limit.objects.filter(id__in=[limit.id for limit in limits if limit.id not in there]).order_by("id"):
        _open(limit, at)


def _open(limit: Limit, at: datetime) -> None:
    start, end = start_of(limit.period, at), end_of(limit.period, at)
    used = used_in(limit, start, end)
    counter = Counter(account_id=limit.account_id, limit=limit, period_start=start, used=used.value)
    counter.unpriced = used.unpriced
    going_on = Reservation.objects.filter(state=Reservation.State.OPEN, at__gte=start)
    for reservation in going_on.filter(at__lt=end) if end else going_on:
        if not fits(limit, Work.of(reservation)):
            continue
        asked = amount_for(limit, price_lines(map(Line.from_json, reservation.lines), reservation.at))
        if asked is not None:
            counter.reserved += asked.value
            reservation.holds.append([str(limit.id), str(counter.id), str(asked.value)])
            reservation.save(update_fields=["holds", "updated_at"])
    counter.save(force_insert=True)


def used_in(limit: Limit, start: datetime, end: datetime | None) -> Amount:
    """What the ledger has for the limit in a period, summed anew."""
    return _used_in([limit], start, end)[limit.id]


def _used_in(limits: Sequence[Limit], start: datetime, end: datetime | None) -> dict[UUID, Amount]:
    """The same of several limits with one period, in one query."""
    by_day = limits[0].period in {Limit.Period.DAY, Limit.Period.MONTH, Limit.Period.TOTAL}
    rows: Any = DailyUsage.objects.all() if by_day else UsageEvent.objects.all()
    if by_day:
        rows = rows.filter(day__gte=start.astimezone(UTC).date())
        rows = rows.filter(day__lt=end.astimezone(UTC).date()) if end else rows
    else:
        rows = rows.filter(at__gte=start, at__lt=end)
    targets = [_target(limit) for limit in limits]
    rows = rows.filter(reduce(or_, targets))
    sums: dict[str, Any] = {}
    for number, (limit, target) in enumerate(zip(limits, targets, strict=True)):
        if limit.is_cost:
            unpriced = Sum("unpriced", filter=target) if by_day else Count("id", filter=target & Q(cost=None))
            sums |= {f"used{number}": Sum("cost", filter=target), f"unpriced{number}": unpriced}
        else:
            sums[f"used{number}"] = Sum("quantity", filter=target & Q(unit=limit.unit))
    found = rows.aggregate(**sums)
    return {
        limit.id: Amount(found[f"used{number}"] or ZERO, found.get(f"unpriced{number}") or 0)
        for number, limit in enumerate(limits)
    }


def _target(limit: Limit) -> Q:
    # Named although an account's scope names it too: the operator looks at limits of many accounts at once.
    target = Q(account_id=limit.account_id)
    if limit.user_id:
        target &= Q(user_id=limit.user_id)
    if limit.api_key_id:
        target &= Q(api_key_id=limit.api_key_id)
    if limit.source:
        direct, behind = Q(source=limit.source), Q(cause=limit.source)
        if limit.subject:
            direct, behind = direct & Q(subject=limit.subject), behind & Q(cause_subject=limit.subject)
        target &= direct | behind
    return target


_AT_ONCE = 50
"""Limits in one query: two sums each."""


def current(limits: Sequence[Limit]) -> dict[UUID, Counter]:
    """Where the limits stand now, by limit, for showing: what has no counter yet is summed up, not stored.

    In an account's scope, or in the platform's for limits of many accounts.
    """
    now = timezone.now()
    found = counters_of(limits, now)
    for period in Limit.Period.values:
        new = [limit for limit in limits if limit.period == period and limit.id not in found]
        start, end = start_of(period, now), end_of(period, now)
        for first in range(0, len(new), _AT_ONCE):
            some = new[first : first + _AT_ONCE]
            used = _used_in(some, start, end)
            for limit in some:
                amount = used[limit.id]
                found[limit.id] = Counter(limit=limit, period_start=start, used=amount.value, unpriced=amount.unpriced)
    return found
