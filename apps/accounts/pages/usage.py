"""Usage and costs: what a month cost, what it went on, and how far the limits are."""

from __future__ import annotations

import calendar
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.api.estimate import estimate_csv
from apps.accounts.api.usage import csv_answer
from apps.accounts.metering.budgets import Budget, budgets
from apps.accounts.metering.estimating import estimate
from apps.accounts.metering.forecast import forecast
from apps.accounts.metering.selectors import Group, every_day, total, usage
from apps.accounts.models import Limit, LimitAlert
from apps.accounts.pages.door import account_of, may, tenant_page
from apps.accounts.templatetags.usage_words import money

TABS = {"item": "Kind", "source": "Source", "subject": "Subject", "member": "Member", "key": "Key", "day": "Day"}
MOST_ROWS = 100
BUDGETS_SHOWN = 20
_ICONS = {
    "item": "sparkles",
    "source": "api",
    "subject": "webhook",
    "member": "user-circle",
    "key": "key",
    "day": "history",
}


@tenant_page("usage.view")
def usage_page(request: HttpRequest) -> HttpResponse:
    """One month (UTC): ``?month=2026-11&by=item``."""
    now = timezone.now()
    today = now.astimezone(UTC).date()
    first, last = _month(request.GET.get("month", ""), today)
    by = request.GET.get("by", "")
    by = by if by in TABS else "item"
    days = every_day(usage("day", first, last), first, last)
    whole = total(days)
    rows = [one for one in days if one.calls or one.unpriced] if by == "day" else usage(by, first, last)
    limits = budgets(now)
    is_now = first <= today <= last
    expected = forecast(now).expected if is_now and whole.priced else None
    ceiling = _ceiling(limits) if is_now else None
    context = {
        "month": first,
        "previous": first - timedelta(days=1),
        "following": last + timedelta(days=1) if last < today else None,
        "tabs": TABS,
        "by": by,
        "icon": _ICONS[by],
        "heading": TABS[by],
        "whole": whole,
        "rows": [_row(one, whole.priced) for one in rows[:MOST_ROWS]],
        "more": max(0, len(rows) - MOST_ROWS),
        **_budgets_of_page(limits, request, first, by),
        "ceiling": ceiling,
        "alerts": _alerts(limits),
        "may_limit": may(request, "limits.manage"),
        "estimate": estimate(account_of(request).id, now) if is_now else None,
        **_course(days, today, ceiling, expected),
    }
    return render(request, "accounts/usage/page.html", context)


@tenant_page("usage.view")
def report(request: HttpRequest) -> HttpResponse:
    """The same month as a CSV file, by day unless ``by`` says otherwise."""
    first, last = _month(request.GET.get("month", ""), timezone.now().astimezone(UTC).date())
    by = request.GET.get("by", "day")
    by = by if by in TABS else "day"
    name = f"usage-{account_of(request).slug}-{first:%Y-%m}-by-{by}.csv"
    return csv_answer(usage(by, first, last), by, name)


@tenant_page("usage.view")
def estimate_report(request: HttpRequest) -> HttpResponse:
    """What AI data costs in this month, as a CSV file."""
    now, account = timezone.now(), account_of(request)
    return estimate_csv(estimate(account.id, now), f"ai-data-{account.slug}-{now:%Y-%m}.csv")


def _month(text: str, today: date) -> tuple[date, date]:
    """First and last day of a month written as 2026-11; this month when it is none, or one to come."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        first = today.replace(day=1)
    if not first.year >= 2000 or first > today:
        first = today.replace(day=1)
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _budgets_of_page(limits: list[Budget], request: HttpRequest, month: date, by: str) -> dict[str, Any]:
    """Some of the limits, the fullest first: ``?budgets=2``."""
    pages = Paginator(limits, BUDGETS_SHOWN)
    page = pages.get_page(request.GET.get("budgets"))
    here = f"?month={month:%Y-%m}&by={by}&budgets="
    return {
        "budgets": list(page),
        "budgets_shown": f"{page.start_index()}–{page.end_index()} of {pages.count}" if pages.num_pages > 1 else "",
        "budgets_before": f"{here}{page.previous_page_number()}" if page.has_previous() else "",
        "budgets_after": f"{here}{page.next_page_number()}" if page.has_next() else "",
    }


def _ceiling(limits: list[Budget]) -> Budget | None:
    """The lowest limit of the whole account's cost in a month."""
    of_month = [
        one
        for one in limits
        if one.limit.scope == Limit.Scope.ACCOUNT and one.limit.is_cost and one.limit.period == Limit.Period.MONTH
    ]
    return min(of_month, key=lambda one: one.limit.amount, default=None)


def _course(days: list[Group], today: date, ceiling: Budget | None, expected: Decimal | None) -> dict[str, Any]:
    """How the cost adds up, and where it is going."""
    spent, sums = Decimal(0), []
    for one in days:
        spent += one.priced
        sums.append(spent if one.key <= today else None)
    so_far = sum(1 for one in days if one.key <= today)
    sets: list[dict[str, Any]] = [{"label": "Spent", "data": [_number(value) for value in sums]}]
    if expected is not None:
        step = (expected - spent) / max(1, len(days) - so_far)
        course = [
            None if number < so_far - 1 else _number(spent + step * (number - so_far + 1))
            for number in range(len(days))
        ]
        sets.append({"label": "Expected", "data": course, "colour": "c2", "dash": True})
    if ceiling is not None:
        amount = _number(ceiling.limit.amount)
        sets.append({"label": "Budget", "data": [amount] * len(days), "colour": "bad", "dash": True})
    chart = {"labels": [str(one.key.day) for one in days], "sets": sets, "prefix": money(Decimal(0)).rstrip("0.")}
    finding = f"Cost adds up to {money(spent)}"
    if expected is not None:
        finding += f" and is expected to reach {money(expected)} by the end of the month"
    if ceiling is not None:
        finding += f"; the budget is {money(ceiling.limit.amount)}"
    return {"chart": chart, "finding": f"{finding}.", "expected": expected}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(round(value, 6))


def _row(one: Group, whole: Decimal) -> dict[str, Any]:
    return {"group": one, "share": float(one.priced / whole * 100) if whole else 0.0}


def _alerts(limits: list[Budget]) -> list[dict[str, Any]]:
    """What was told in the periods that go on, the latest first."""
    by_limit = {one.limit.id: one for one in limits}
    rows = LimitAlert.objects.filter(limit_id__in=by_limit).order_by("-at")[:50]
    found = []
    for row in rows:
        budget = by_limit[row.limit_id]
        if row.period_start == budget.counter.period_start and row.percent == budget.step:
            found.append({"alert": row, "budget": budget})
    return found
