"""What protects the person at the keyboard, and how the account's people stand."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import Membership
from apps.accounts.pages.door import tenant_page
from apps.accounts.permissions import allows
from apps.accounts.selectors import second_factors
from apps.accounts.tenancy.middleware import actor_of


@tenant_page("account.view")
def security(request: HttpRequest) -> HttpResponse:
    """Second factor, password, sessions; for admins also who has no second factor yet."""
    context = {
        "totp": Authenticator.objects.filter(user=request.user, type=Authenticator.Type.TOTP).first(),
        "codes_left": _codes_left(request),
        "sessions": sorted(
            UserSession.objects.purge_and_list(request.user),  # type: ignore[arg-type]
            key=lambda session: (not session.is_current(), session.created_at),
        ),
    }
    if allows(actor_of(request), "security.view"):
        people = list(Membership.objects.select_related("user").order_by("user__email"))
        having = second_factors([membership.user_id for membership in people])
        context |= {
            "people": len(people),
            "with_factor": len(having),
            "without_factor": [place.user.display_name for place in people if place.user_id not in having],
        }
    return render(request, "accounts/security.html", context)


def _codes_left(request: HttpRequest) -> int | None:
    codes = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(codes.wrap().get_unused_codes()) if codes else None
