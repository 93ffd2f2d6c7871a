"""The AI features on the project's page: a card with a switch each, and what they were used for."""

from __future__ import annotations

import csv
import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format

from apps.accounts.features import FeatureOff, FeatureState, UnknownFeature, states_of
from apps.accounts.features.choosing import choose
from apps.accounts.metering.estimating import estimate
from apps.accounts.metering.holding import holdings_of
from apps.accounts.metering.selectors import Group
from apps.accounts.models import Stage
from apps.accounts.pages.door import account_of, done, is_part, may, part, tenant_page
from apps.accounts.pages.registry import Panel, registered
from apps.accounts.pages.shell import address
from apps.accounts.permissions import allows
from apps.accounts.tenancy.middleware import actor_of
from apps.integrations.zerodb.client import is_embedded
from apps.integrations.zerodb.usage import EMBEDDINGS, LOOKUPS, SEARCHES, VECTORS, month_of_use, quantity

PAGE = "ai"
CHARTS = {SEARCHES: "Searches", EMBEDDINGS: "Embeddings", VECTORS: "Vectors", LOOKUPS: "Lookups"}


@tenant_page("features.manage", "POST")
def switch(request: HttpRequest) -> HttpResponse:
    """Switch ``feature`` on (the box ``on`` is ticked) or off. A refusal stands on the card, the switch as it was."""
    account, refusal = account_of(request), ""
    try:
        state = choose(request.POST.get("feature", ""), "on" in request.POST, account=account, actor=actor_of(request))
        words = f"{state.feature.label} is {'on' if state.enabled else 'off'}."
    except UnknownFeature:
        raise Http404("No such feature.") from None
    except FeatureOff as error:
        refusal, words = str(error), ""
        state = next(one for one in states_of(account) if one.feature is error.feature)
    if not is_part(request):
        return done(request, address(account, PAGE), words or refusal)
    context = {**card_context(request), "card": card(state), "refusal": refusal}
    answer = part(request, "integrations/ai/feature.html", context, words=words)
    # The switch was disabled while it was saved, and lost the focus by that.
    answer["HX-Trigger-After-Settle"] = json.dumps({"focus-on": f"switch-{state.feature.name}"})
    return answer


def cards(request: HttpRequest) -> dict[str, Any]:
    """What the page shows of the features, whether there is a project or not."""
    states = states_of(account_of(request), PAGE)
    return {
        **card_context(request),
        "cards": [card(state) for state in states],
        "any_on": any(state.is_on for state in states),
    }


def card_context(request: HttpRequest) -> dict[str, Any]:
    """What every card has in common."""
    return {"may_switch": may(request, "features.manage")}


def card(state: FeatureState) -> dict[str, Any]:
    """One feature. ``lock`` says what keeps it from being switched at all."""
    one = state.feature
    lock = "needs a project" if state.lacks else "not available yet" if state.stage == Stage.OFF else ""
    note = one.used() if one.used is not None and not lock else ""
    if state.code and not lock:
        by_whom = "by your operator" if state.by_staff else "by your account’s choice"
        chosen = "Off." if state.choice is None else f"Off, {by_whom}."
        note = f"{chosen} {note}".strip()
    return {"state": state, "feature": one, "lock": lock, "note": note}


def use_context(request: HttpRequest) -> dict[str, Any]:
    """Figures of the month, a chart of the last thirty days, and what the floors above add to the page."""
    now, account = timezone.now(), account_of(request)
    month, held = month_of_use(now), holdings_of(account.id)
    may_see_costs = allows(actor_of(request), "usage.view")
    shown = request.GET.get("chart", "")
    shown = shown if shown in CHARTS else SEARCHES
    return {
        "month": month,
        "free": is_embedded(),
        "charts": CHARTS,
        "shown": shown,
        "chart": _chart(month.days, shown),
        "finding": _finding(month.days, shown),
        "is_empty": not any(quantity(day, shown) for day in month.days),
        "panels": panels(request, PAGE),
        "vectors": month.vectors if held is None else held.vectors,
        "memory_gb": None if held is None else held.memory_gb,
        "may_see_costs": may_see_costs,
        "estimate": estimate(account.id, now) if may_see_costs else None,
        "now": now,
    }


@tenant_page("project.view")
def use_csv(request: HttpRequest) -> HttpResponse:
    """The days of the chart, all its kinds beside each other, as a file."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="ai-use-{account_of(request).slug}.csv"'
    lines = csv.writer(answer)
    lines.writerow(["day", *CHARTS])
    for day in month_of_use(timezone.now()).days:
        lines.writerow([day.key, *(quantity(day, unit) for unit in CHARTS)])
    return answer


def panels(request: HttpRequest, place: str) -> list[dict[str, Any]]:
    """What the floors above add to the page at ``place``, each with its template."""
    here = [one for one in registered(Panel) if one.place == place and allows(actor_of(request), one.action)]
    found = [(panel, panel.read(request)) for panel in here]
    return [{"template": panel.template, **context} for panel, context in found if context is not None]


def _chart(days: list[Group], unit: str) -> dict[str, Any]:
    numbers = [quantity(day, unit) for day in days]
    return {
        "labels": [date_format(day.key, "j M") for day in days],
        "sets": [{"label": CHARTS[unit], "data": numbers}],
    }


def _finding(days: list[Group], unit: str) -> str:
    most = max(days, key=lambda day: quantity(day, unit))
    if not quantity(most, unit):
        return f"No {unit} in the last {len(days)} days."
    return f"{CHARTS[unit]} per day. Most on {date_format(most.key, 'j F')}: {quantity(most, unit):,}."
