"""What AI projects are used for, over time: platform-wide on the dashboard, and on each account's page (P-09)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from apps.accounts.admin.account_panels import AccountPanel, add_account_panel
from apps.accounts.admin.dashboard import Chart, Part
from apps.accounts.models import Account, DailyUsage
from apps.accounts.templatetags.usage_words import money
from apps.integrations.zerodb.usage import DAYS, EMBEDDINGS, LOOKUPS, SEARCHES, SOURCE, VECTORS, month_of_use, quantity

_UNITS = {SEARCHES: "Searches", EMBEDDINGS: "Embeddings", VECTORS: "Vectors", LOOKUPS: "Lookups"}
_ONE = {"Searches": "search", "Embeddings": "embedding", "Vectors": "vector", "Lookups": "lookup"}


def charts() -> Iterator[Chart]:
    """Of all accounts together: what AI projects did per day, and what everything cost per day."""
    days = _days()
    rows = DailyUsage.objects.filter(day__gte=days[0]).order_by()
    sums: dict[str, dict[date, int]] = defaultdict(dict)
    used = rows.filter(source=SOURCE, unit__in=_UNITS).values_list("unit", "day").annotate(sum=Sum("quantity"))
    for unit, day, amount in used:
        sums[unit][day] = int(amount)
    series = {label: [sums[unit].get(day, 0) for day in days] for unit, label in _UNITS.items()}
    yield Chart(
        "AI use per day", f"{_summed(series)} in {DAYS} days, all accounts.", _labels(days), series, kind="line"
    )
    costs: dict[date, Decimal] = dict(rows.values_list("day").annotate(sum=Sum("cost")))
    spent = sum(costs.values(), Decimal(0))
    numbers = [round(float(costs.get(day, 0)), 4) for day in days]
    yield Chart("Cost per day", f"{money(spent)} in {DAYS} days, all accounts.", _labels(days), {"Cost": numbers})


def _panel(account: Account) -> dict[str, Any]:
    month = month_of_use(timezone.now())
    series = {label: [quantity(day, unit) for day in month.days] for unit, label in _UNITS.items()}
    costs = {"Cost": [round(float(day.priced), 4) for day in month.days]}
    labels = _labels([day.key for day in month.days])
    spent = sum((day.priced for day in month.days), Decimal(0))
    return {
        "charts": [
            Chart("AI use per day", f"{_summed(series)} in {DAYS} days.", labels, series, kind="line"),
            Chart("Cost of AI data per day", f"{money(spent)} in {DAYS} days.", labels, costs),
        ]
    }


def _summed(series: dict[str, list[int]]) -> str:
    """ "226 searches, 1 lookup": what was used at all."""
    sums = [(label, sum(numbers)) for label, numbers in series.items()]
    return (
        ", ".join(f"{much:,} {_ONE[label] if much == 1 else label.lower()}" for label, much in sums if much)
        or "Nothing"
    )


def _days() -> list[date]:
    today = timezone.now().astimezone(UTC).date()
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _labels(days: list[date]) -> list[str]:
    return [f"{day.day} {day:%b}" for day in days]


PART = Part(17, charts=charts)
add_account_panel(AccountPanel("admin/integrations/ai_use_panel.html", _panel))
