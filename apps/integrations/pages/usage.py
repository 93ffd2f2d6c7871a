"""What a connection was used for, on its page: figures, charts, and the same as CSV."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.formats import date_format

from apps.accounts.pages.door import account_of, tenant_page
from apps.accounts.pages.shell import address
from apps.integrations.models import Integration
from apps.integrations.usage import LONGEST, Used, total, usage_by_day

SPANS = (7, 30, 90)


def usage_context(request: HttpRequest, row: Integration) -> dict[str, Any]:
    """What the page's templates show of usage; the span is chosen by ``days`` in the address."""
    days = span_of(request)
    sums = usage_by_day(row.id, days)
    page = address(account_of(request), "integration", integration_id=row.id)
    whole = total(sums)
    return {
        "used": whole,
        "figures": _figures(whole, sums),
        "charts": _charts(sums) if whole.calls else [],
        "spans": [{"days": span, "on": span == days, "url": f"{page}?days={span}"} for span in SPANS],
        "days": days,
        "csv_url": f"{address(account_of(request), 'integration_usage_csv', integration_id=row.id)}?days={days}",
    }


@tenant_page("integrations.view")
def usage_csv(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """The days as a file."""
    row = Integration.objects.filter(pk=integration_id).first()
    if row is None:
        raise Http404("No such connection.")
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{row.provider}-usage.csv"'
    lines = csv.writer(answer)
    lines.writerow(["day", "calls", "errors", "average_ms", f"cost_{settings.CURRENCY.lower()}", "unpriced"])
    for used in usage_by_day(row.id, span_of(request)):
        cost = "" if used.cost is None else f"{used.cost:f}"
        lines.writerow([used.day, used.calls, used.errors, used.average_ms or "", cost, used.unpriced])
    return answer


def span_of(request: HttpRequest) -> int:
    """How many days somebody asked for."""
    text = request.GET.get("days", "")
    return int(text) if text in {str(span) for span in SPANS} else min(30, LONGEST)


def money(amount: Decimal | None) -> str:
    """An amount as people read it; small ones keep what tells them from nothing."""
    if amount is None:
        return "Unknown"
    sign = _sign()
    if amount and amount < Decimal("0.01"):
        return f"{sign}{amount:.6f}".rstrip("0")
    return f"{sign}{amount:,.2f}"


def _sign() -> str:
    return {"USD": "$", "EUR": "€", "GBP": "£"}.get(settings.CURRENCY, f"{settings.CURRENCY} ")


def duration(milliseconds: int | None) -> str:
    """ "412 ms", "1.4 s"."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _figures(whole: Used, days: list[Used]) -> list[tuple[str, str, str]]:
    busiest = max(days, key=lambda day: day.calls)
    worst = max(days, key=lambda day: day.errors)
    slowest = max(days, key=lambda day: day.average_ms or 0)
    calls = f"most on {_date(busiest)}: {busiest.calls:,}" if whole.calls else "none in these days"
    errors = f"{whole.error_share:.2g} %, {worst.errors:,} of them on {_date(worst)}" if whole.errors else "none"
    latency = f"a call, on average; {duration(slowest.average_ms)} on {_date(slowest)}" if whole.calls else "no calls"
    return [
        ("Calls", f"{whole.calls:,}", calls),
        ("Errors", f"{whole.errors:,}", errors),
        ("Latency", duration(whole.average_ms), latency),
        ("Cost", money(whole.cost), _cost_note(whole)),
    ]


def _cost_note(whole: Used) -> str:
    if whole.unpriced:
        return f"{whole.unpriced:,} uses without a known price are not in it" if whole.priced else "no price is known"
    return f"{money(whole.priced / whole.calls)} a call" if whole.priced and whole.calls else "nothing was billed"


def _charts(days: list[Used]) -> list[dict[str, Any]]:
    labels = [date_format(day.day, "j M") for day in days if day.day]
    worst, slowest = max(days, key=lambda day: day.errors), max(days, key=lambda day: day.average_ms or 0)
    dearest = max(days, key=lambda day: day.priced)
    peak = f"Most errors on {_date(worst)}: {worst.errors:,}." if worst.errors else "No errors."
    charts = [
        _chart(
            "calls",
            "Calls and errors",
            f"Calls and errors by day. {peak}",
            {
                "labels": labels,
                "stacked": True,
                "sets": [
                    {"label": "Worked", "data": [day.calls - day.errors for day in days]},
                    {"label": "Errors", "data": [day.errors for day in days], "colour": "bad"},
                ],
            },
        ),
        _chart(
            "latency",
            "Latency",
            f"How long a call took on average, by day. Slowest on {_date(slowest)}: {duration(slowest.average_ms)}.",
            {"labels": labels, "fine": True, **_latency(days)},
            kind="line",
        ),
    ]
    if any(day.priced for day in days):
        words = f"Cost by day. Highest on {_date(dearest)}: {money(dearest.priced)}."
        data = {
            "labels": labels,
            "fine": True,
            "prefix": _sign(),
            "sets": [{"label": "Cost", "data": [float(day.priced) for day in days]}],
        }
        charts.append(_chart("cost", "Cost", words, data))
    return charts


def _latency(days: list[Used]) -> dict[str, Any]:
    """In seconds where calls take some, otherwise in milliseconds."""
    slow = any((day.average_ms or 0) >= 1000 for day in days)
    values = [day.average_ms and day.average_ms / 1000 if slow else day.average_ms for day in days]
    return {"suffix": " s" if slow else " ms", "sets": [{"label": "Average", "data": values}]}


def _chart(name: str, title: str, finding: str, data: dict[str, Any], kind: str = "bar") -> dict[str, Any]:
    return {"name": f"usage-{name}", "title": title, "finding": finding, "data": data, "kind": kind}


def _date(used: Used) -> str:
    return date_format(used.day, "j M") if used.day else ""
