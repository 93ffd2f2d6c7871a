"""What is held (vectors, memory) rather than done: how much it is now, and counting it into the ledger.

A floor above knows how much an account holds and says it here at start-up (``declare_holdings``). A month costs what
was held in it at most: only what came on top is counted each time, so that the sums of a month are its amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from apps.accounts.metering.lines import MEMORY, VECTORS, Line, Work
from apps.accounts.metering.prices import price_of
from apps.accounts.metering.settling import Settled, count
from apps.accounts.models import DailyUsage

SOURCE = "zerodb"
ITEM = "zerodb"
"""What the prices of vectors, searches and memory are entered for."""


@dataclass(frozen=True)
class Waste:
    """What is held for nothing. No vector is in two of them; ``namespaces`` are unused, each with its vectors."""

    duplicates: int = 0
    stale: int = 0
    gone: int = 0
    namespaces: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Holdings:
    """What an account holds now. ``memory_gb`` (10^9 bytes) and ``waste`` are None where the server does not tell."""

    vectors: int
    memory_gb: Decimal | None = None
    waste: Waste | None = None
    measured_at: datetime | None = field(default=None, compare=False)


Reader = Callable[[UUID], Holdings | None]
_readers: list[Reader] = []


def declare_holdings(read: Reader) -> None:
    """Say at start-up how to ask what an account holds. ``read`` answers None where it holds nothing at all.

    It is called in the account's scope, when somebody looks: it should remember for some minutes.
    """
    _readers[:] = [read]


def holdings_of(account_id: UUID) -> Holdings | None:
    """What the account holds, as far as anybody knows."""
    return _readers[0](account_id) if _readers else None


def counted_in_month(unit: str, at: datetime) -> Decimal:
    """How much of a unit of SOURCE the ledger has for the month of ``at``. In the account's scope."""
    today = at.astimezone(UTC).date()
    rows = DailyUsage.objects.filter(source=SOURCE, unit=unit, day__gte=today.replace(day=1), day__lte=today)
    return rows.aggregate(sum=Sum("quantity"))["sum"] or Decimal(0)


def count_holdings(account_id: UUID, held: Holdings, now: datetime) -> Settled | None:
    """Count what came on top of what this month has already. In the account's scope, one at a time for it.

    None when nothing did.
    """
    amounts = ((VECTORS, Decimal(held.vectors)), (MEMORY, held.memory_gb))
    billed = {unit: _billed(unit, amount, now) for unit, amount in amounts if amount is not None}
    on_top = {unit: amount - counted_in_month(unit, now) for unit, amount in billed.items()}
    lines = [Line(unit, more, ITEM) for unit, more in on_top.items() if more > 0]
    if not lines:
        return None
    month = f"{now.astimezone(UTC):%Y-%m}"
    return count(Work(account_id, SOURCE), *lines, key=":".join([SOURCE, "held", month, *map(str, billed.values())]))


def _billed(unit: str, amount: Decimal, now: datetime) -> Decimal:
    price = price_of(unit, ITEM, now)
    return amount if price is None else max(Decimal(0), amount - price.free)
