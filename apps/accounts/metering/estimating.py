"""What an account's AI data costs in this month (P-08): vectors and memory that it holds, searches that it made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings

from apps.accounts.metering.holding import ITEM, Holdings, counted_in_month, holdings_of
from apps.accounts.metering.lines import MEMORY, SEARCHES, VECTORS
from apps.accounts.metering.prices import price_of
from apps.accounts.metering.suggesting import Suggestion, suggestions

ZERO = Decimal(0)


@dataclass(frozen=True)
class Part:
    """``amount`` of ``unit``, the first ``free`` of it for nothing. None: nobody knows it."""

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
    parts = (vectors, _part(SEARCHES, counted_in_month(SEARCHES, now), now), memory)
    found = suggestions(held.waste, vector_price=vectors.unit_price, memory=memory.billed, memory_cost=memory.cost)
    return Estimate(parts, settings.CURRENCY, held, tuple(found))


def _part(unit: str, amount: Decimal | None, now: datetime) -> Part:
    price = price_of(unit, ITEM, now)
    return Part(unit, amount, price.free if price else ZERO, price.unit_price if price else None)
