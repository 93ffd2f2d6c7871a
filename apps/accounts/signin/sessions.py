"""Sessions: ended with an entry in the trail, and their activity noted without a write per request."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from allauth.account.adapter import get_adapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from apps.accounts.services.sessions import end_session

RESOLUTION = 60
"""Seconds between two writes of a session's last activity."""


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Ends sessions through our service."""

    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        for session in sessions:
            end_session(session, user=session.user)


class SessionActivityMiddleware:
    """As allauth's, which writes with every request: here at most once a minute, unless address or browser change."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.session.session_key and self._is_due(request) and request.user.is_authenticated:
            UserSession.objects.create_from_request(request)
        return self.get_response(request)

    def _is_due(self, request: HttpRequest) -> bool:
        adapter = get_adapter(request)
        where = f"{request.session.session_key} {adapter.get_client_ip(request)} {adapter.get_http_user_agent(request)}"
        mark = salted_hmac("strongroom.session-activity", where, algorithm="sha256").hexdigest()[:32]
        return cache.add(f"session-activity:{mark}", True, RESOLUTION)
