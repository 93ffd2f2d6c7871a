"""The door for HTTP requests: who asks, for which account, in which scope.

An address with ``account_slug`` is a tenant page: the signed-in user must be a member. Requests to the API
bring a key or a session. In both cases the whole view runs in the account's scope, which is one
transaction: an exception or an answer of 500 and above rolls it back. Somebody else's account and one that
does not exist answer with the same 404.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.doors import Entry, SignInNeeded, api_entry, page_entry
from apps.accounts.tenancy.scope import platform, tenant

Response = HttpResponseBase


class TenancyMiddleware:
    """Opens the scope; sets ``request.account``, ``membership``, ``actor``, ``calls_per_hour``, ``cost_is_limited``."""

    def __init__(self, get_response: Callable[[HttpRequest], Response]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Response:
        request.actor = None  # type: ignore[attr-defined]
        request.account = None  # type: ignore[attr-defined]
        request.membership = None  # type: ignore[attr-defined]
        refused: list[audit.Event] = []
        token = audit._deferred.set(refused)
        try:
            return self._serve(request)
        finally:
            audit._deferred.reset(token)
            _write_refusals(refused)

    def _serve(self, request: HttpRequest) -> Response:
        try:
            entry = self._entry(request)
        except SignInNeeded:
            return _to_sign_in(request)
        except Http404 as missing:
            # Raised by the view, so that the answer is the very page of a missing object.
            request.refusal = missing  # type: ignore[attr-defined]
            return self.get_response(request)
        if entry is None:
            return self.get_response(request)
        request.actor, request.account = entry.actor, entry.account  # type: ignore[attr-defined]
        request.membership = entry.membership  # type: ignore[attr-defined]
        request.calls_per_hour = entry.calls_per_hour  # type: ignore[attr-defined]
        request.cost_is_limited = entry.cost_is_limited  # type: ignore[attr-defined]
        with tenant(entry.account.id):
            response = self.get_response(request)
            if getattr(request, "failed", False) or response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    def _entry(self, request: HttpRequest) -> Entry | None:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return None
        if "account_slug" in match.kwargs:
            return page_entry(request, match.kwargs["account_slug"])
        if request.path_info.startswith("/api/v1/"):
            return api_entry(request)
        return None

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Turn the refused entry into the ordinary 404."""
        refusal = getattr(request, "refusal", None)
        if refusal is not None:
            raise refusal

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """An unhandled exception undoes the request, whatever page is shown for it."""
        request.failed = True  # type: ignore[attr-defined]


def _to_sign_in(request: HttpRequest) -> Response:
    if request.headers.get("HX-Request"):
        # A partial update can't show a sign-in page: let htmx load the whole page again.
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path())


def _write_refusals(events: list[audit.Event]) -> None:
    for event in events:
        _write_in_own_scope(event, event.account_id)


def _write_in_own_scope(event: audit.Event, account_id: UUID | None) -> None:
    if account_id is None:
        with platform("write a refused attempt to the platform's trail"):
            audit.write(event)
    else:
        with tenant(account_id):
            audit.write(event)


def actor_of(request: HttpRequest) -> Actor:
    """The actor of a request inside an account. Raises AttributeError outside of one."""
    actor: Actor | None = request.actor  # type: ignore[attr-defined]
    if actor is None:
        raise AttributeError("This address has no account, so nobody acts for one.")
    return actor
