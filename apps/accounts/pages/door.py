"""How a tenant page is declared, and how it answers htmx."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.features.answers import status_of
from apps.accounts.features.asking import FeatureOff
from apps.accounts.metering.errors import LimitReached, PriceUnknown, QuantityLimitReached
from apps.accounts.models import Account
from apps.accounts.permissions import allows, known, require
from apps.accounts.tenancy.middleware import actor_of

View = Callable[..., HttpResponseBase]


def tenant_page(action: str, *methods: str) -> Callable[[View], View]:
    """Declare a page under /app/<slug>/: who may open it, by which methods (GET unless named).

    The tenancy middleware has opened the account's scope; the view gets no ``account_slug``. A role that may not do
    ``action`` gets 403. A suspended account is read-only: anything but GET is answered by a page that says so, and so
    is work that does not fit a limit, or that is part of a feature which is not on.
    Raises UnknownAction when the URLs load, for a misspelt action.
    """
    known(action)

    def declare(view: View) -> View:
        @wraps(view)
        def served(request: HttpRequest, account_slug: str, **kwargs: Any) -> HttpResponseBase:
            require(actor_of(request), action)
            if request.method not in {"GET", "HEAD"} and is_suspended(request):
                return render(request, "suspended.html", {"account": account_of(request)}, status=403)
            try:
                return view(request, **kwargs)
            except (LimitReached, PriceUnknown) as refusal:
                transaction.set_rollback(True)
                return _refused(request, refusal)
            except FeatureOff as refusal:
                transaction.set_rollback(True)
                return _switched_off(request, refusal)

        served.action = action  # type: ignore[attr-defined]
        return never_cache(require_http_methods(list(methods) or ["GET"])(served))

    return declare


def _refused(request: HttpRequest, refusal: LimitReached | PriceUnknown) -> HttpResponse:
    """402 or 429, with the limit in words. Inside a part of a page it comes as a toast."""
    status = 429 if isinstance(refusal, QuantityLimitReached) else 402
    if is_part(request):
        return _as_toast(request, str(refusal))
    context = {
        "account": account_of(request),
        "heading": "The price is not known" if isinstance(refusal, PriceUnknown) else "A limit is reached",
        "words": str(refusal),
        "status": status,
        "may_see": allows(actor_of(request), "usage.view"),
    }
    return render(request, "accounts/usage/refused.html", context, status=status)


def _switched_off(request: HttpRequest, refusal: FeatureOff) -> HttpResponse:
    """403 or 409, with the reason in words. Inside a part of a page it comes as a toast."""
    if is_part(request):
        return _as_toast(request, str(refusal))
    context = {
        "account": account_of(request),
        "feature": refusal.feature,
        "words": str(refusal),
        "status": status_of(refusal),
        "page": refusal.feature.page and f"app:{refusal.feature.page}",
    }
    return render(request, "accounts/features/off.html", context, status=status_of(refusal))


def _as_toast(request: HttpRequest, words: str) -> HttpResponse:
    messages.warning(request, words)
    answer = render(request, "components/toasts.html", {"oob": True})
    answer["HX-Reswap"] = "none"
    return answer


def may(request: HttpRequest, action: str) -> bool:
    """Whether the page may offer a change: the role allows it, and the account is not suspended."""
    return allows(actor_of(request), action) and not is_suspended(request)


def account_of(request: HttpRequest) -> Account:
    """The account of a request inside one."""
    account: Account = request.account  # type: ignore[attr-defined]
    return account


def is_suspended(request: HttpRequest) -> bool:
    """Whether the account of the request is read-only."""
    return account_of(request).status == Account.Status.SUSPENDED


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def dialog(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A dialog for htmx, the same form as a page of its own otherwise. ``context`` has ``title``.

    Templates of dialogs begin with ``{% extends frame %}``.
    """
    frame = "components/dialog.html" if is_part(request) else "components/dialog_page.html"
    return render(request, template, {"frame": frame, **context}, status=status)


def done(request: HttpRequest, url: str, words: str = "") -> HttpResponse:
    """Go to ``url`` after a change, and say what happened there in a toast."""
    if words:
        messages.success(request, words)
    if is_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def part(request: HttpRequest, template: str, context: dict[str, Any], *, words: str = "") -> HttpResponse:
    """One row or card in place, with a toast beside it."""
    if words:
        messages.success(request, words)
    answer = render(request, template, context)
    toast = render(request, "components/toasts.html", {"oob": True})
    answer.content += toast.content
    return answer


def trigger(answer: HttpResponse, **events: Any) -> HttpResponse:
    """Tell the page of events ("saved", "close-dialog") with their details."""
    answer["HX-Trigger"] = json.dumps({name.replace("_", "-"): detail for name, detail in events.items()})
    return answer
