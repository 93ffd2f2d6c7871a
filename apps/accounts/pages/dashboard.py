"""The first page of an account."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.pages.door import account_of, is_suspended, tenant_page
from apps.accounts.pages.registry import Panel, Stat, Step, registered
from apps.accounts.pages.shell import address
from apps.accounts.permissions import allows
from apps.accounts.tenancy.middleware import actor_of

# With fewer steps done than this, the page is the list of first steps and little else.
FIRST_DAY = 3


@tenant_page("account.view")
def dashboard(request: HttpRequest) -> HttpResponse:
    """First steps while there are any, figures, and what each floor has to say."""
    actor = actor_of(request)
    steps = _steps(request, actor)
    finished = sum(step["done"] for step in steps)
    # Those who only have their own sign-in to set up come to an account that works already.
    first_day = len(steps) > FIRST_DAY and finished < FIRST_DAY and not is_suspended(request)
    return render(
        request,
        "accounts/dashboard.html",
        {
            "greeting": _greeting(),
            "first_day": first_day,
            "steps": steps,
            "steps_done": finished,
            # A suspended account is read-only: there is nothing to set up.
            "next_step": None if is_suspended(request) else next((step for step in steps if not step["done"]), None),
            "stats": [_stat(stat, request) for stat in registered(Stat) if allows(actor, stat.action)],
            "panels": _panels(request, actor),
        },
    )


def _greeting() -> str:
    hour = timezone.localtime().hour
    if 4 <= hour < 12:
        return "Good morning"
    return "Good afternoon" if 12 <= hour < 18 else "Good evening"


def _steps(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "title": step.title,
            "words": step.words,
            "button": step.button,
            "url": address(account_of(request), step.url_name),
            "done": step.done(request),
        }
        for step in registered(Step)
        if allows(actor, step.action)
    ]


def _stat(stat: Stat, request: HttpRequest) -> dict[str, str]:
    figure, note = stat.read(request)
    return {"label": stat.label, "figure": figure, "note": note}


def _panels(request: HttpRequest, actor: Actor) -> dict[str, list[dict[str, Any]]]:
    places: dict[str, list[dict[str, Any]]] = {"top": [], "main": [], "side": []}
    for panel in registered(Panel):
        if panel.place in places and allows(actor, panel.action) and (context := panel.read(request)) is not None:
            places[panel.place].append({"template": panel.template, **context})
    return places
