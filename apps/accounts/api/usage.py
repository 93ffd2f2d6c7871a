"""``account/usage`` and ``account/costs``: the ledger by day, source, member, key and more, as JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from apps.accounts.api.estimate import EstimateSerializer, ForecastSerializer, show_estimate, show_forecast
from apps.accounts.api.problems import FieldError, invalid
from apps.accounts.api.serializers import Parameters
from apps.accounts.api.views import AccountView, answer
from apps.accounts.metering.estimating import estimate
from apps.accounts.metering.forecast import forecast
from apps.accounts.metering.selectors import GROUPS, MOST, Group, total, usage

LONGEST = 400
"""Days in one answer."""


class UsageParameters(Parameters):
    """Which days, how they are summed up, and how they are written."""

    group = serializers.ChoiceField(choices=GROUPS, default="day")
    format = serializers.ChoiceField(choices=["json", "csv"], default="json")

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of Python's own, so it can't be an attribute of the class.
        days = {
            "from": serializers.DateField(required=False, help_text="First day, UTC. The first of this month."),
            "to": serializers.DateField(required=False, help_text="Last day, UTC. Today."),
        }
        return {**super().get_fields(), **days}


class QuantitySerializer(serializers.Serializer[Any]):
    """How much of a unit."""

    unit = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=24, decimal_places=6)


class _Sums(serializers.Serializer[Any]):
    calls = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    average_ms = serializers.IntegerField(allow_null=True)
    cost = serializers.DecimalField(
        max_digits=24, decimal_places=10, allow_null=True, help_text="null: nobody knew the price of any of it."
    )
    unpriced = serializers.IntegerField(help_text="Lines that are not in `cost`, because nobody knew their price.")
    quantities = QuantitySerializer(many=True)


class UsageGroupSerializer(_Sums):
    """The sums of one day, source, member …"""

    key = serializers.CharField(allow_null=True, help_text="A date, a name or an id; null: of nobody in particular.")
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]


class UsageSerializer(serializers.Serializer[Any]):
    """What was used."""

    group = serializers.CharField()
    currency = serializers.CharField()
    totals = _Sums()
    results = UsageGroupSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}


class CostGroupSerializer(serializers.Serializer[Any]):
    """What one day, source, member … cost."""

    key = serializers.CharField(allow_null=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    cost = serializers.DecimalField(max_digits=24, decimal_places=10, allow_null=True)
    unpriced = serializers.IntegerField()
    calls = serializers.IntegerField()


class CostsSerializer(serializers.Serializer[Any]):
    """What it cost."""

    group = serializers.CharField()
    currency = serializers.CharField()
    total = serializers.DecimalField(max_digits=24, decimal_places=10, allow_null=True)
    unpriced = serializers.IntegerField()
    results = CostGroupSerializer(many=True)
    forecast = ForecastSerializer(help_text="Of this month, whatever the days that were asked for.")
    estimate = EstimateSerializer(allow_null=True, help_text="Of this month; null: there is no AI project.")

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}


class FormatInAddress(BaseContentNegotiation):
    """The format is a parameter of the address: ``Accept`` is not asked."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class _LedgerView(AccountView):
    content_negotiation_class = FormatInAddress
    actions: ClassVar = {"GET": "usage.view"}
    name: ClassVar[str] = ""

    def get(self, request: Request) -> HttpResponse:
        """The account's ledger in these days."""
        wanted = self.parameters(UsageParameters)
        first, last = days_of(wanted)
        groups = usage(wanted["group"], first, last)
        if wanted["format"] == "csv":
            name = f"{self.name}-{self.account.slug}-{first}-{last}.csv"
            return csv_answer(groups, wanted["group"], name)
        whole = total(groups if len(groups) < MOST else usage("unit", first, last))
        head = {"from": first.isoformat(), "to": last.isoformat(), "group": wanted["group"]}
        return answer({**head, "currency": settings.CURRENCY, **self.shown(groups, whole)})

    def shown(self, groups: list[Group], whole: Group) -> dict[str, Any]:
        """What follows the head."""
        raise NotImplementedError


class AccountUsageView(_LedgerView):
    """Calls, errors, times, quantities and costs."""

    name = "usage"

    @extend_schema(
        operation_id="account_usage",
        summary="Read what was used",
        parameters=[UsageParameters],
        responses={(200, "application/json"): UsageSerializer, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        """Summed up by day, source, member, key or other; the dearest thousand first. A cost of null is not known."""
        return super().get(request)

    def shown(self, groups: list[Group], whole: Group) -> dict[str, Any]:
        """Totals and groups."""
        return {"totals": _sums(whole), "results": [{**_named(one), **_sums(one)} for one in groups]}


class AccountCostsView(_LedgerView):
    """Costs alone."""

    name = "costs"

    @extend_schema(
        operation_id="account_costs",
        summary="Read what it cost",
        parameters=[UsageParameters],
        responses={(200, "application/json"): CostsSerializer, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        """Summed up by day, source, member, key or other; the dearest thousand first. A cost of null is not known."""
        return super().get(request)

    def shown(self, groups: list[Group], whole: Group) -> dict[str, Any]:
        """The total and each group's part of it."""
        results = [
            {**_named(one), "cost": money(one.cost), "unpriced": one.unpriced, "calls": one.calls} for one in groups
        ]
        now = timezone.now()
        return {
            "total": money(whole.cost),
            "unpriced": whole.unpriced,
            "results": results,
            "forecast": show_forecast(forecast(now)),
            "estimate": show_estimate(estimate(self.account.id, now)),
        }


def days_of(wanted: dict[str, Any]) -> tuple[date, date]:
    """The first and the last day. Raises Problem (400) for none or too many."""
    last = wanted.get("to") or timezone.now().astimezone(UTC).date()
    first = wanted.get("from") or last.replace(day=1)
    if first > last:
        raise invalid([FieldError("from", "after_end", "The first day lies after the last.")])
    if last - first >= timedelta(days=LONGEST):
        raise invalid([FieldError("from", "too_long", f"At most {LONGEST} days are summed up at once.")])
    return first, last


def money(value: Decimal | None) -> str | None:
    """A decimal string; null for what nobody knows."""
    return None if value is None else f"{value.normalize():f}"


def _named(one: Group) -> dict[str, Any]:
    return {"key": None if one.key in {None, ""} else str(one.key), "label": one.label}


def _sums(one: Group) -> dict[str, Any]:
    quantities = [
        {"unit": unit, "quantity": f"{value.normalize():f}"} for unit, value in sorted(one.quantities.items())
    ]
    return {
        "calls": one.calls,
        "errors": one.errors,
        "average_ms": one.average_ms,
        "cost": money(one.cost),
        "unpriced": one.unpriced,
        "quantities": quantities,
    }


def csv_answer(groups: Sequence[Group], group: str, name: str) -> HttpResponse:
    """A row per group and a column per unit; an unknown cost is empty, and ``unpriced`` says why."""
    units = sorted({unit for one in groups for unit in one.quantities})
    text = io.StringIO()
    writer = csv.writer(text)
    columns = [f"quantity_{unit}" for unit in units]  # one unit is "calls", as the column of all calls
    writer.writerow([group, "label", "calls", "errors", "average_ms", "cost", "currency", "unpriced", *columns])
    for one in groups:
        key = "" if one.key is None else _plain(str(one.key))
        sums = [one.calls, one.errors, one.average_ms or "", money(one.cost) or "", settings.CURRENCY, one.unpriced]
        quantities = [f"{one.quantities[unit].normalize():f}" if unit in one.quantities else "" for unit in units]
        writer.writerow([key, _plain(one.label), *sums, *quantities])
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _plain(text: str) -> str:
    """Spreadsheets run cells that begin so (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
