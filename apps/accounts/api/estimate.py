"""The estimate of what AI data costs, as JSON and CSV."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers

from apps.accounts.metering.estimating import Estimate
from apps.accounts.metering.forecast import Forecast


class _Money(serializers.DecimalField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=24, decimal_places=10, allow_null=True, **options)


class QuantitiesSerializer(serializers.Serializer[Any]):
    """What is held, and the searches of this month."""

    vectors = serializers.DecimalField(max_digits=24, decimal_places=6)
    searches = serializers.DecimalField(max_digits=24, decimal_places=6)
    memory_gb = serializers.DecimalField(max_digits=24, decimal_places=6, allow_null=True)


class SuggestionSerializer(serializers.Serializer[Any]):
    """What would lower the bill."""

    kind = serializers.ChoiceField(choices=["duplicates", "stale", "gone", "namespaces", "memory"])
    words = serializers.CharField()
    count = serializers.DecimalField(max_digits=24, decimal_places=6)
    saving = _Money(help_text="A month; null: nobody knows the price.")
    todo = serializers.CharField()


class EstimateSerializer(serializers.Serializer[Any]):
    """What AI data costs in this month. A cost of null is not known, and then the total is not either."""

    vectors = _Money(help_text="What is held now, for a month.")
    searches = _Money(help_text="So far.")
    memory = _Money(help_text="Beyond what is free.")
    total = _Money()
    currency = serializers.CharField()
    quantities = QuantitiesSerializer()
    suggestions = SuggestionSerializer(many=True)


class ForecastSerializer(serializers.Serializer[Any]):
    """Where this month is going, all of the account's use together."""

    spent = _Money()
    expected = _Money(help_text="At the end of the month: what was spent, and the last seven days' rate for the rest.")


def show_estimate(found: Estimate | None) -> dict[str, Any] | None:
    """As outsiders read it; None without a project."""
    if found is None:
        return None
    vectors, searches, memory = (part.amount for part in found.parts)
    return {
        "vectors": _text(found.vectors),
        "searches": _text(found.searches),
        "memory": _text(found.memory),
        "total": _text(found.total),
        "currency": found.currency,
        "quantities": {"vectors": _text(vectors), "searches": _text(searches), "memory_gb": _text(memory)},
        "suggestions": [
            {
                "kind": one.kind,
                "words": one.words,
                "count": _text(one.count),
                "saving": _text(one.saving),
                "todo": one.todo,
            }
            for one in found.suggestions
        ],
    }


def show_forecast(found: Forecast) -> dict[str, Any]:
    """As outsiders read it."""
    return {"spent": _text(found.spent), "expected": _text(found.expected.quantize(Decimal("0.0001")))}


def estimate_csv(found: Estimate | None, name: str) -> HttpResponse:
    """A row for each part, the total, and each suggestion; what is unknown is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["what", "amount", "free", "unit_price", "cost", "currency"])
    if found is not None:
        for part in found.parts:
            numbers = [part.amount, part.free, part.unit_price, part.cost]
            writer.writerow([part.unit, *(_text(value) or "" for value in numbers), found.currency])
        writer.writerow(["total", "", "", "", _text(found.total) or "", found.currency])
        for one in found.suggestions:
            saving = "" if one.saving is None else _text(-one.saving)
            writer.writerow([f"could save: {one.kind}", _text(one.count), "", "", saving, found.currency])
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
