"""What an account's AI data costs in this month (P-08): vectors and memory that it holds, searches that it made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from apps.accounts.metering.holding import ITEM, SOURCE, Holdings, counted_in_month, holdings_of
from apps.accounts.metering.lines import MEMORY, SEARCHES, VECTORS
from apps.accounts.metering.periods import start_of
from apps.accounts.metering.prices import price_changes, price_of
from apps.accounts.metering.suggesting import Suggestion, suggestions
from apps.accounts.models import Limit, UsageEvent

ZERO = Decimal(0)


@dataclass(frozen=True)
class Part:
    """``amount`` of ``unit``, the first ``free`` for nothing; ``unit_price`` on average. None: nobody knows it."""

    unit: str
    amount: Decimal | None
    free: Decimal
    unit_price: Decimal | None

    @property
    def billed(self) -> Decimal | None:
        """What is not free of it."""
        return None if self.amount is None else max(ZERO, self.amount - self.free)

    @property
    def cost(self) -> Decimal | None:
        """None when the amount or the price is unknown; nothing costs nothing."""
        if self.billed == 0:
            return ZERO
        return None if self.billed is None or self.unit_price is None else self.billed * self.unit_price


@dataclass(frozen=True)
class Estimate:
    """Of one month, in ``currency``. A cost is None where an amount or a price is unknown, and so is the total then."""

    parts: tuple[Part, Part, Part]
    currency: str
    holdings: Holdings
    suggestions: tuple[Suggestion, ...]

    @property
    def vectors(self) -> Decimal | None:
        """What the vectors cost that are held."""
        return self.parts[0].cost

    @property
    def searches(self) -> Decimal | None:
        """What the searches cost that were made so far."""
        return self.parts[1].cost

    @property
    def memory(self) -> Decimal | None:
        """What the memory costs beyond what is free."""
        return self.parts[2].cost

    @property
    def total(self) -> Decimal | None:
        """The sum; None when any part is unknown."""
        costs = [part.cost for part in self.parts]
        known = [cost for cost in costs if cost is not None]
        return sum(known, ZERO) if len(known) == len(costs) else None

    @property
    def known(self) -> Decimal:
        """The sum of what is known."""
        return sum((part.cost for part in self.parts if part.cost is not None), ZERO)

    @property
    def saving(self) -> Decimal:
        """What all suggestions together would save in a month, as far as their prices are known."""
        return sum((one.saving for one in self.suggestions if one.saving is not None), ZERO)


def estimate(account_id: UUID, now: datetime) -> Estimate | None:
    """The month of ``now`` of the account in scope; None where there is nothing that could cost: no project."""
    held = holdings_of(account_id)
    if held is None:
        return None
    vectors = _part(VECTORS, Decimal(held.vectors), now)
    memory = _part(MEMORY, held.memory_gb, now)
    parts = (vectors, _searches(now), memory)
    found = suggestions(held.waste, vector_price=vectors.unit_price, memory=memory.billed, memory_cost=memory.cost)
    return Estimate(parts, settings.CURRENCY, held, tuple(found))


def _searches(now: datetime) -> Part:
    """Each at the price of the moment when it was made: a price that begins within the month holds from then on."""
    part = _part(SEARCHES, counted_in_month(SEARCHES, now), now)
    first = start_of(Limit.Period.MONTH, now)
    changes = price_changes(SEARCHES, ITEM, first, now)
    if not part.amount or not changes:
        return part
    made = UsageEvent.objects.filter(source=SOURCE, unit=SEARCHES)
    cost, before = ZERO, ZERO
    for start, end in pairwise([first, *changes]):
        amount = made.filter(at__gte=start, at__lt=end).aggregate(sum=Sum("quantity"))["sum"] or ZERO
        price = price_of(SEARCHES, ITEM, start)
        if amount and price is None:
            return replace(part, unit_price=None)
        cost, before = cost + amount * (price.unit_price if price else ZERO), before + amount
    if part.amount > before and part.unit_price is None:
        return part
    cost += (part.amount - before) * (part.unit_price or ZERO)
    return replace(part, unit_price=cost / part.amount)


def _part(unit: str, amount: Decimal | None, now: datetime) -> Part:
    price = price_of(unit, ITEM, now)
    return Part(unit, amount, price.free if price else ZERO, price.unit_price if price else None)
