"""What all accounts cost: this month, where it is going, who costs most, and how it went before."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from apps.accounts.admin.dashboard import Chart, Figure
from apps.accounts.api.usage import money as exact
from apps.accounts.metering.forecast import AccountCost, Forecast, MonthCost, forecast, top_accounts, trend
from apps.accounts.metering.holding import SOURCE
from apps.accounts.templatetags.usage_words import money

SHOWN, IN_FILE, MONTHS = 20, 10_000, 12


def costs_page(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, for a platform's own site; ``?file=accounts`` and ``?file=months`` are CSV."""

    def costs(request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        match request.GET.get("file"):
            case "accounts":
                return _accounts_file(now)
            case "months":
                return _months_file(now)
        accounts, months = top_accounts(now, SOURCE, SHOWN), trend(now, SOURCE, MONTHS)
        context = {
            **site.each_context(request),
            "title": "Costs",
            "figures": _figures(forecast(now), forecast(now, source=SOURCE)),
            "accounts": accounts,
            "months": list(reversed(_since_first_use(months))),
            "chart": _chart(months),
            "month": now,
        }
        return TemplateResponse(request, "admin/costs.html", context)

    return site.admin_view(costs)


def _since_first_use(months: Sequence[MonthCost]) -> Sequence[MonthCost]:
    """Without the months before anything was used; the current one always."""
    used = next((number for number, one in enumerate(months) if one.cost or one.unpriced), len(months) - 1)
    return months[used:]


def _figures(all_of_it: Forecast, data: Forecast) -> list[Figure]:
    without = f"{all_of_it.unpriced:,} without a price not in it" if all_of_it.unpriced else ""
    return [
        Figure("Cost this month", money(all_of_it.spent), without),
        Figure("Expected at its end", money(all_of_it.expected), f"{money(all_of_it.rate)} a day lately"),
        Figure("AI data this month", money(data.spent), "vectors, searches and memory"),
        Figure("AI data at its end", money(data.expected)),
    ]


def _chart(months: Sequence[MonthCost]) -> Chart:
    last = months[-1]
    finding = f"{money(last.cost)} so far this month"
    if len(months) > 1 and months[-2].cost:
        finding += f", {money(months[-2].cost)} in the month before"
    series = {
        "AI data": [round(float(one.of_source), 2) for one in months],
        "Everything else": [round(float(one.cost - one.of_source), 2) for one in months],
    }
    labels = [f"{one.month:%b %Y}" for one in months]
    return Chart("Cost by month, all accounts", f"{finding}.", labels, series, stacked=True, first="Month")


def _accounts_file(now: datetime) -> HttpResponse:
    rows: Iterable[AccountCost] = top_accounts(now, SOURCE, IN_FILE)
    lines = [[row.account_id, _plain(row.name), exact(row.cost), exact(row.of_source), row.unpriced] for row in rows]
    return _file(f"costs-by-account-{now:%Y-%m}.csv", ["account", "name"], lines)


def _months_file(now: datetime) -> HttpResponse:
    rows = trend(now, SOURCE, MONTHS)
    lines = [[f"{row.month:%Y-%m}", exact(row.cost), exact(row.of_source), row.unpriced] for row in rows]
    return _file(f"costs-by-month-{now:%Y-%m}.csv", ["month"], lines)


def _file(name: str, first: list[str], lines: Iterable[list[Any]]) -> HttpResponse:
    currency = settings.CURRENCY.lower()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*first, f"cost_{currency}", f"ai_data_{currency}", "unpriced"])
    writer.writerows(lines)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _plain(text: str) -> str:
    """Spreadsheets run cells that begin so (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
