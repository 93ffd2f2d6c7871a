"""The way in when the authenticator is gone: password and a one-use token that `manage.py` printed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import django_otp
from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django import forms
from django.contrib.admin import AdminSite
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import User
from apps.accounts.signin import static_tokens
from apps.accounts.signin.second_factor import STATIC_TOKEN_AT, forget
from apps.accounts.signin.trail import record_for

REFUSED = "E-mail, password and token don’t fit together."
PAUSED = "Too many wrong tries. This door pauses for five minutes."


class BreakGlassForm(forms.Form):
    """Everything at once, and one answer for everything that may be wrong."""

    username = forms.EmailField(
        label="E-mail", widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        strip=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"})
    )
    otp_token = forms.CharField(
        label="Token",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="One of the tokens printed by create_super_admin. Each works once.",
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError without saying what was wrong."""
        values: dict[str, Any] = super().clean() or {}
        if not self.errors:
            self.user, self.device = self._verified(values)
        return values

    def _verified(self, values: dict[str, Any]) -> tuple[User, Any]:
        # allauth's own check: its limits count, and a wrong password is recorded.
        user = get_adapter().authenticate(self.request, email=values["username"], password=values["password"])
        if not isinstance(user, User) or not (user.is_active and user.is_staff and user.is_superuser):
            raise ValidationError(REFUSED)
        key = f"break-glass:{user.pk}"
        if not ratelimit.consume(self.request, action="login_failed", key=key):
            raise ValidationError(PAUSED)
        try:
            device = static_tokens.use(user, values["otp_token"])
        except static_tokens.TooManyTries:
            raise ValidationError(PAUSED) from None
        if device is None:
            record_for(user, "second_factor.failed", changes={"type": "static"})
            raise ValidationError(REFUSED)
        ratelimit.clear(self.request, action="login_failed", key=key)
        return user, device


def break_glass(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The page for ``site``."""

    @sensitive_post_parameters("password", "otp_token")
    @csrf_protect
    @never_cache
    @transaction.atomic
    def page(request: HttpRequest) -> HttpResponse:
        form = BreakGlassForm(request, request.POST if request.method == "POST" else None)
        if form.is_valid():
            _enter(request, form.user, form.device)
            return HttpResponseRedirect(reverse(f"{site.name}:index"))
        context = {**site.each_context(request), "title": "Break glass", "form": form}
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/break_glass.html", context, status=status)

    return page


def _enter(request: HttpRequest, user: User, device: Any) -> None:
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    django_otp.login(request, device)
    request.session[STATIC_TOKEN_AT] = time.time()
    forget(request)
    record_for(user, "staff.break_glass_used", changes={"tokens_left": static_tokens.left(user)})
