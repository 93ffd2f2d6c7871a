"""What a connection was used for, by day: calls, errors, how long they took, what they cost. Read from the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from apps.accounts.models import DailyUsage
from apps.integrations.models import Integration

SOURCE = "integrations"
LONGEST = 90
"""Days that can be asked for at once."""


@dataclass(frozen=True)
class Used:
    """The sums of one day (UTC) or of several. ``priced`` is the cost of what had a price, ``unpriced`` counts the
    lines that had none."""

    day: date | None = None
    calls: int = 0
    errors: int = 0
    duration_ms: int = 0
    priced: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def average_ms(self) -> int | None:
        """How long a call took on average; None without calls."""
        return round(self.duration_ms / self.calls) if self.calls else None

    @property
    def cost(self) -> Decimal | None:
        """In the currency of the price book; None when no price was known."""
        return None if self.unpriced and not self.priced else self.priced

    @property
    def error_share(self) -> float:
        """Errors in a hundred calls."""
        return 100 * self.errors / self.calls if self.calls else 0.0


def usage_by_day(integration_id: UUID, days: int) -> list[Used]:
    """The last ``days`` days up to today, each once, also those on which nothing happened (in the account's scope)."""
    today = timezone.now().astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    rows = (
        DailyUsage.objects.filter(source=SOURCE, subject=integration_id, day__gte=first)
        .values("day")
        .annotate(
            all_calls=Sum("calls"),
            all_errors=Sum("errors"),
            duration=Sum("duration_ms"),
            priced=Sum("cost"),
            without_price=Sum("unpriced"),
        )
        .order_by()
    )
    known = {
        row["day"]: Used(
            row["day"],
            row["all_calls"],
            row["all_errors"],
            row["duration"],
            row["priced"],
            row["without_price"],
        )
        for row in rows
    }
    return [known.get(day) or Used(day) for day in (first + timedelta(days=number) for number in range(days))]


def total(days: list[Used]) -> Used:
    """The sums of several days."""
    return Used(
        None,
        sum(day.calls for day in days),
        sum(day.errors for day in days),
        sum(day.duration_ms for day in days),
        sum((day.priced for day in days), Decimal(0)),
        sum(day.unpriced for day in days),
    )


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """What connections of the account in scope are called; those that are gone are left out."""
    return {row.id: row.label for row in Integration.objects.filter(pk__in=list(ids))}
