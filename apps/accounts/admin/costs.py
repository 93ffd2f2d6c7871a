"""The dashboard's part about money: what this month cost, who spent it, and what nobody knows the price of."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from apps.accounts.admin.dashboard import Attention, Chart, Figure, Part
from apps.accounts.models import DailyUsage, LimitAlert
from apps.accounts.templatetags.usage_words import money

TOP = 10


def _month() -> Any:
    return DailyUsage.objects.filter(day__gte=timezone.now().date().replace(day=1))


def attention() -> Iterator[Attention]:
    """Units without a price, the most used first."""
    rows = _month().filter(unpriced__gt=0).order_by().values("unit", "item").annotate(lines=Sum("unpriced"))
    found = sorted(rows, key=lambda row: -row["lines"])
    if found:
        names = ", ".join(f"{row['unit'].replace('_', ' ')} of {row['item'] or 'anything'}" for row in found[:5])
        yield Attention(
            f"{len(found)} kind{'' if len(found) == 1 else 's'} of work without a price",
            f"{names}. Enter what they cost, and past calls are settled.",
            "Price",
            reverse("admin:accounts_price_changelist"),
            "warning",
        )


def figures() -> Iterator[Figure]:
    """The month's cost, and how many limits are used up."""
    spent = _month().aggregate(cost=Sum("cost"), calls=Sum("calls"))
    yield Figure(
        "Cost this month",
        money(spent["cost"] or Decimal(0)),
        f"{spent['calls'] or 0:,} metered calls",
        reverse("admin:costs"),
    )
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    full = LimitAlert.objects.filter(at__gte=today, percent=100).count()
    yield Figure("Limits used up today", f"{full:,}", "", reverse("admin:accounts_limit_changelist"))


def charts() -> Iterator[Chart]:
    """The accounts that cost most this month."""
    rows = _month().order_by().values("account__name").annotate(spent=Sum("cost")).order_by("-spent")[:TOP]
    found = [row for row in rows if row["spent"]]
    finding = f"{found[0]['account__name']} leads with {money(found[0]['spent'])}." if found else "Nothing cost yet."
    labels = [row["account__name"] for row in found]
    series = {"Cost": [round(float(row["spent"]), 2) for row in found]}
    yield Chart("Top accounts this month", finding, labels, series, first="Account")


PART = Part(15, attention, figures, charts)
