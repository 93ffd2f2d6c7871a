"""A month of use for the demo's connections: the sums of its days, as the ledger keeps them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal

from django.utils import timezone

from apps.accounts.metering.lines import CALLS
from apps.accounts.models import DailyUsage
from apps.integrations.models import Integration
from apps.integrations.usage import SOURCE

DAYS = 45


@dataclass(frozen=True)
class Busy:
    """A working day of one connection: ``calls``, how long each takes, and what the service bills for ``each`` of one.

    ``bad`` days ago it failed for ``errors`` of them; ``until`` days ago it was last used.
    """

    calls: int
    milliseconds: int
    unit: str = ""
    item: str = ""
    each: int = 1
    cost: str = "0"
    bad: int = -1
    errors: int = 0
    until: int = 0


BUSY = {
    "anthropic": Busy(480, 1400, "output_tokens", "anthropic/claude-sonnet-4-6", 540, "0.0081", bad=3, errors=54),
    "openai": Busy(90, 900, "output_tokens", "openai/gpt-6.1-terra", 560, "0.0028", until=38),
    "stripe": Busy(34, 310, bad=9, errors=2),
    "twilio": Busy(61, 240, "messages", "twilio/sms", 1, "0.04", bad=0, errors=12),
    "google_maps": Busy(140, 95, "requests", "google_maps/geocoding", 1, "0.005"),
    "salesforce": Busy(25, 520, bad=3, errors=3, until=3),
    "mailchimp": Busy(12, 640, until=1),
    "slack": Busy(75, 180),
}


def add_usage(row: Integration) -> None:
    """The days of ``row``, the same ones every time (in the account's scope)."""
    busy = BUSY.get(row.provider)
    if busy is None:
        return
    chance = random.Random(f"{row.provider}-{row.name}")  # noqa: S311 - the same days every time is the point
    today = timezone.now().astimezone(UTC).date()
    sums: list[DailyUsage] = []
    for ago in range(DAYS, busy.until - 1, -1):
        day = today - timedelta(days=ago)
        share = chance.uniform(0.8, 1.2) * (0.35 if day.weekday() >= 5 else 1.0) * (0.4 if ago == 0 else 1.0)
        calls = max(1, round(busy.calls * share))
        errors = min(calls, busy.errors) if ago == busy.bad else int(chance.random() < 0.08)
        slow = 2.4 if errors > 1 else chance.uniform(0.9, 1.15)
        common = {"day": day, "source": SOURCE, "subject": row.id}
        sums.append(
            DailyUsage(
                **common,
                unit=CALLS,
                item=row.provider,
                quantity=calls,
                calls=calls,
                errors=errors,
                duration_ms=round(calls * busy.milliseconds * slow),
            )
        )
        if busy.unit:
            worked = calls - errors
            cost = worked * Decimal(busy.cost)
            sums.append(DailyUsage(**common, unit=busy.unit, item=busy.item, quantity=worked * busy.each, cost=cost))
    DailyUsage.objects.bulk_create(sums)
