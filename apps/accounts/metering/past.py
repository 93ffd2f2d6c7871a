"""Past work whose price nobody knew, settled when somebody enters the price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from apps.accounts.metering.alerts import watch
from apps.accounts.metering.counters import ZERO, fits, lock_ledger
from apps.accounts.metering.lines import Line, Work
from apps.accounts.metering.periods import start_of
from apps.accounts.metering.prices import price_lines
from apps.accounts.models import Counter, DailyUsage, Limit, Price, UsageEvent
from apps.accounts.tenancy.scope import platform, tenant

BATCH = 1000


def apply_prices(now: datetime) -> int:
    """Look for unpriced events of each price that is new and has begun. Returns how many got their price."""
    with platform("find prices that are new"):
        new = list(Price.objects.filter(applied_at=None, starts_at__lte=now))
    done = 0
    for price in new:
        while batch := _unpriced(price):
            priced = sum(_apply(account_id, ids) for account_id, ids in batch.items())
            done += priced
            if not priced:
                break
        with platform("note that a price was applied"):
            # Unless it was changed meanwhile: then it is looked at again.
            Price.objects.filter(pk=price.pk, updated_at=price.updated_at).update(applied_at=now)
    return done


def _unpriced(price: Price) -> dict[UUID, list[UUID]]:
    """Some of the events that the price may be for, by account."""
    items = Q()
    if price.item.endswith("/*"):
        items = Q(item=price.item[:-2]) | Q(item__startswith=price.item[:-1])
    elif price.item != "*":
        items = Q(item=price.item)
    found: dict[UUID, list[UUID]] = defaultdict(list)
    with platform("find past work that a new price is for"):
        rows = UsageEvent.objects.filter(items, cost=None, unit=price.unit, at__gte=price.starts_at)
        for account_id, event_id in rows.order_by("at").values_list("account_id", "id")[:BATCH]:
            found[account_id].append(event_id)
    return found


def _apply(account_id: UUID, ids: Sequence[UUID]) -> int:
    with tenant(account_id):
        lock_ledger(account_id, alone=True)
        events = list(UsageEvent.objects.filter(pk__in=ids, cost=None))
        limits = list(Limit.objects.filter(measure=Limit.Measure.COST))
        changed = []
        for event in events:
            (found,) = price_lines([Line(event.unit, event.quantity, event.item)], event.at)
            if found.cost is not None:
                event.unit_price, event.cost = found.unit_price, found.cost
                changed.append(event)
        UsageEvent.objects.bulk_update(changed, ["unit_price", "cost"], batch_size=200)
        _add_to_days(changed)
        _add_to_counters(changed, limits)
    return len(changed)


def _add_to_days(events: Sequence[UsageEvent]) -> None:
    sums: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [ZERO, 0])
    for event in events:
        work = Work.of(event)
        total = sums[(event.at.astimezone(UTC).date(), event.unit, event.item, *work.fields.items())]
        total[0] += event.cost or ZERO
        total[1] += 1
    for (day, unit, item, *fields), (cost, lines) in sums.items():
        rows = DailyUsage.objects.filter(day=day, unit=unit, item=item, **dict(fields))
        rows.update(cost=F("cost") + cost, unpriced=F("unpriced") - lines)


def _add_to_counters(events: Sequence[UsageEvent], limits: Sequence[Limit]) -> None:
    sums: dict[tuple[UUID, datetime], list[Any]] = defaultdict(lambda: [Decimal(0), 0])
    for event in events:
        for limit in limits:
            if fits(limit, Work.of(event)):
                total = sums[limit.id, start_of(limit.period, event.at)]
                total[0] += event.cost or ZERO
                total[1] += 1
    by_id = {limit.id: limit for limit in limits}
    for limit_id, start in sorted(sums):
        cost, lines = sums[limit_id, start]
        rows = Counter.objects.filter(limit_id=limit_id, period_start=start)
        rows.update(used=F("used") + cost, unpriced=F("unpriced") - lines)
        for counter_id in rows.values_list("pk", flat=True):
            watch(by_id[limit_id], counter_id)
