"""Naming each request, and remembering where it comes from.

The id is in the answer (``X-Request-ID``), in every error, in every audit entry and in the log, so that a
customer's report finds them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from apps.accounts.actors import RequestContext, in_request
from apps.accounts.identifiers import uuid7

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
"""An id from outside must be harmless in logs and headers and fit the audit trail's column."""


class RequestContextMiddleware:
    """First in line: gives the request its id and makes its context the current one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        context = context_of(request)
        with in_request(context):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = context.request_id
        return response


def context_of(request: HttpRequest) -> RequestContext:
    """Id, address and browser of ``request``."""
    given = request.headers.get("X-Request-ID", "")
    return RequestContext(
        request_id=given if _ACCEPTABLE.fullmatch(given) else str(uuid7()),
        ip=client_ip(request),
        user_agent=request.headers.get("User-Agent", ""),
    )


def client_ip(request: HttpRequest) -> str | None:
    """The caller's address. ``TRUSTED_PROXIES`` = how many of our own proxies add to ``X-Forwarded-For``.

    Only what those wrote is believed: the entry that many places from the end.
    """
    hops: int = settings.TRUSTED_PROXIES
    if hops:
        chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
        if len(chain) >= hops:
            return chain[-hops]
    address: str | None = request.META.get("REMOTE_ADDR")
    return address or None
