"""``request.user.is_verified()``: has this session shown a second factor that is good enough for the admin?

Replaces django-otp's middleware. Good enough is an authenticator app or a passkey, by allauth's own record of this
session, or a one-use static token of django-otp (break-glass). Recovery codes are not: whoever finds the sheet of
paper shall not get into every account. An authenticator that was removed since verifies nothing any more.

One lazy user is built from Django's session user: stacking a second lazy wrapper around ``request.user`` breaks
code that empties only the outermost one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.models import Device

STRONG = frozenset({Authenticator.Type.TOTP.value, Authenticator.Type.WEBAUTHN.value})
STATIC_TOKEN_AT = "static_token_at"  # noqa: S105 - a key, no secret
"""Session key of the time (Unix seconds) at which a static token was used."""


@dataclass(frozen=True)
class SecondFactor:
    """What verified a session: ``type`` is ``totp``, ``webauthn`` or ``static``; ``at`` in Unix seconds."""

    type: str
    at: float


class SecondFactorMiddleware:
    """Gives ``request.user`` its ``is_verified()``. Asks the database only when that is called."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.user = SimpleLazyObject(partial(_user, request))  # type: ignore[assignment]
        return self.get_response(request)


def _user(request: HttpRequest) -> Any:
    user: Any = get_user(request)
    user.is_verified = lambda: second_factor(request, user) is not None
    return user


def second_factor(request: HttpRequest, user: Any) -> SecondFactor | None:
    """The factor that verifies ``user`` in the session of ``request``, or None. Asked once per request."""
    if not user.is_authenticated:
        return None
    known: dict[Any, SecondFactor | None] = request.__dict__.setdefault("_second_factors", {})
    if user.pk not in known:
        known[user.pk] = _static_token(request, user) or _authenticator(request, user)
    return known[user.pk]


def forget(request: HttpRequest) -> None:
    """Ask again: a factor was shown (or removed) within this request."""
    request.__dict__.pop("_second_factors", None)


def _fresh(at: float) -> bool:
    return time.time() - at <= settings.ADMIN_SECOND_FACTOR_SECONDS


def _static_token(request: HttpRequest, user: Any) -> SecondFactor | None:
    device_id = request.session.get(DEVICE_ID_SESSION_KEY)
    at = request.session.get(STATIC_TOKEN_AT, 0.0)
    if not device_id or not _fresh(at):
        return None
    device = Device.from_persistent_id(device_id)
    if device is None or device.user_id != user.pk or not device.confirmed:
        return None
    return SecondFactor("static", at)


def _authenticator(request: HttpRequest, user: Any) -> SecondFactor | None:
    shown = [
        record
        for record in get_authentication_records(request, user)
        if record.get("method") == "mfa" and record.get("type") in STRONG and _fresh(record["at"])
    ]
    if not shown:
        return None
    wanted = {record["id"] for record in shown}
    alive = set(Authenticator.objects.filter(user_id=user.pk, pk__in=wanted).values_list("pk", flat=True))
    last = next((record for record in reversed(shown) if record["id"] in alive), None)
    return SecondFactor(last["type"], last["at"]) if last else None
