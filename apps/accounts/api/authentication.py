"""Who calls: decided at the door (``doors.api_entry``), taken over here and answered when it is nobody."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from apps.accounts.actors import Actor
from apps.accounts.api.problems import Problem
from apps.accounts.call_limits import count_call
from apps.accounts.metering.keys import check_key

REALM = 'Bearer realm="Strongroom"'


class ActorAuthentication(BaseAuthentication):
    """The actor that TenancyMiddleware found, by API key or by session. A session needs its CSRF token to write."""

    def authenticate(self, request: Request) -> tuple[Any, Actor]:
        """Raises NotAuthenticated or AuthenticationFailed (401), CostLimitReached (402), Http404 for an account that is
        not the caller's."""
        http: HttpRequest = request._request
        actor: Actor | None = http.actor  # type: ignore[attr-defined]
        if actor is None:
            self._refuse(http)
        assert actor is not None
        if actor.kind == "user":
            _enforce_csrf(http)
        else:
            if http.calls_per_hour is not None:  # type: ignore[attr-defined]
                _count(http, actor)
            if http.cost_is_limited:  # type: ignore[attr-defined]
                check_key(actor)
        return http.user, actor

    def authenticate_header(self, request: Request) -> str:
        """RFC 6750 section 3: name the fault only when a token was sent."""
        return f'{REALM}, error="invalid_token"' if "Authorization" in request.headers else REALM

    def _refuse(self, http: HttpRequest) -> None:
        if "Authorization" in http.headers:
            raise AuthenticationFailed("This API key is unknown, disabled or past its end.", "invalid_key")
        if http.user.is_authenticated:
            raise Http404("Not a member of such an account.")
        raise NotAuthenticated("Send an API key as “Authorization: Bearer sr_…”, or sign in.", "not_authenticated")


def _count(request: HttpRequest, actor: Actor) -> None:
    """Raises Problem (429) when the key has used up its hour; ``APIResource`` tells callers where they stand."""
    assert actor.id is not None
    now = timezone.now()
    spent = count_call(actor.id, request.calls_per_hour, now=now)  # type: ignore[attr-defined]
    request.spent = spent  # type: ignore[attr-defined]
    if spent.is_over:
        words = (
            f"This API key may make {spent.limit} request{'' if spent.limit == 1 else 's'} an hour, "
            f"and they are used up. The next hour begins at {spent.resets_at:%H:%M} UTC."
        )
        raise Problem(429, "rate_limited", words, headers={"Retry-After": str(spent.seconds_left(now))})


def _enforce_csrf(request: HttpRequest) -> None:
    check = CSRFCheck(lambda _: None)  # type: ignore[arg-type, return-value]
    check.process_request(request)
    reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    if reason:
        raise PermissionDenied(f"With a session, send the CSRF token as X-CSRFToken. ({reason})", "csrf_failed")
