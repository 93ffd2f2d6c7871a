"""Error pages of the whole product: plain title, cause, two ways on, a code and a request id to quote."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from apps.accounts.actors import request_context
from apps.accounts.api.problems import AWAY, FAULT, MALFORMED, NOT_FOUND_DETAIL, Problem, problem_response
from apps.accounts.outages import RETRY_AFTER, is_outage
from apps.accounts.permission_words import who_may
from apps.accounts.permissions import RoleDenied

_API_CODES = {
    400: ("malformed", MALFORMED),
    403: ("permission_denied", "Ask somebody who may, or for a role that may."),
    404: ("not_found", NOT_FOUND_DETAIL),
    429: ("rate_limited", "Wait a minute, then try again."),
    500: ("server_error", FAULT),
    503: ("unavailable", AWAY),
}


def _page(request: HttpRequest, template: str, status: int, **more: str) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        # What failed before a view of the API was reached: programs get the shape they know.
        return problem_response(Problem(status, *_API_CODES[status]))
    # Without context processors: an error page must not depend on what may be broken.
    context = {"request_id": request_context().request_id, "code": status, **more}
    return HttpResponse(render_to_string(template, context), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400"""
    return _page(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the role may not do this. The page says what that is, and who may."""
    if not isinstance(exception, RoleDenied):
        return _page(request, "403.html", 403)
    account = getattr(request, "account", None)
    who = who_may(exception.action, account.name if account is not None else "")
    return _page(request, "403.html", 403, who_may=who, role=exception.who)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: gone, or somebody else's; alike on purpose."""
    return _page(request, "404.html", 404)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429: allauth's limits on guessing."""
    return _page(request, "429.html", 429)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 while a server of ours is away."""
    if not is_outage(sys.exc_info()[1]):
        return _page(request, "500.html", 500)
    response = _page(request, "503.html", 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its proof."""
    return _page(request, "403_csrf.html", 403)
