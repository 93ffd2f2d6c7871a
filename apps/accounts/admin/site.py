"""The operator's own site: Unfold's looks, allauth's sign-in, and a second factor at the door.

Django's stock log-in is mounted nowhere: it knows neither our limits on guessing nor a second factor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from apps.accounts.admin.break_glass import break_glass
from apps.accounts.admin.costs_page import costs_page
from apps.accounts.admin.door import in_platform_scope
from apps.accounts.signin.second_factor import STRONG


def is_super_admin(user: Any) -> bool:
    """Whether ``user`` is one of the operator's people (with or without a second factor)."""
    return bool(user.is_active and user.is_staff and user.is_superuser)


class PlatformAdminSite(UnfoldAdminSite):
    """Opens to super admins with a verified second factor, in the platform scope."""

    site_url = None  # type: ignore[assignment] # there is no public site to look at
    enable_nav_sidebar = True
    empty_value_display = "–"

    def has_permission(self, request: HttpRequest) -> bool:
        """A super admin whose session has shown a second factor."""
        return is_super_admin(request.user) and request.user.is_verified()  # type: ignore[union-attr]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Every view behind the door runs in the platform scope, opened once."""
        return super().admin_view(in_platform_scope(view), cacheable)

    def get_urls(self) -> list[URLPattern | URLResolver]:  # type: ignore[override]
        return [
            path("break-glass/", break_glass(self), name="break_glass"),
            path("costs/", costs_page(self), name="costs"),
            *super().get_urls(),
        ]

    @method_decorator([never_cache, secure_admin_login])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to what is missing: nothing, the code of the authenticator, or the authenticator itself."""
        if not is_super_admin(request.user):
            raise PermissionDenied("Only super admins work here.")
        wanted = self._wanted(request)
        if self.has_permission(request):
            return HttpResponseRedirect(wanted)
        if is_mfa_enabled(request.user, list(STRONG)):
            messages.info(request, "The admin asks for the code of your authenticator app; a recovery code won’t do.")
            target = "mfa_reauthenticate"
        else:
            messages.info(request, "The admin opens with a second factor only. Add an authenticator app first.")
            target = "mfa_index"
        return HttpResponseRedirect(f"{reverse(target)}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Sign out, and back to signing in."""
        return LogoutView.as_view(next_page=reverse("account_login"))(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """allauth's page: limited, audited, with a mail to the owner."""
        return redirect("account_change_password")

    def _wanted(self, request: HttpRequest) -> str:
        wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
        if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
            return wanted
        return reverse(f"{self.name}:index")


site = PlatformAdminSite(name="admin")
