"""Times in the reader's zone: the browser says which, in a cookie (static/js/theme.js)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

COOKIE = "tz"
_zones = cache(available_timezones)
"""They lie in hundreds of files: read once, and not for every chain of middleware."""


class ReadersZoneMiddleware:
    """Activates the zone of the cookie; UTC without one, or with a zone that doesn't exist."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.zones = _zones()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = unquote(request.COOKIES.get(COOKIE, ""))
        if name not in self.zones:
            return self.get_response(request)
        with timezone.override(ZoneInfo(name)):
            return self.get_response(request)
