"""Where the link of an invitation leads."""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.adapter import SESSION_INVITATION
from apps.accounts.models import Account, Invitation, User
from apps.accounts.pages.shell import address
from apps.accounts.services import invitations


@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites whom where; join by POST. Strangers are led to sign up or in, and come back joined."""
    invitation = invitations.find(token)
    if invitation is None:
        request.session.pop(SESSION_INVITATION, None)
        return render(request, "accounts/invitation_ended.html", status=404)
    if not isinstance(request.user, User):
        return _stranger(request, invitation, token)
    context = {"invitation": invitation, "right_person": request.user.email.lower() == invitation.email.lower()}
    if request.method == "POST":
        try:
            membership = invitations.accept(token, user=request.user)
        except ValidationError as refused:
            return render(
                request, "accounts/invitation.html", {**context, "error": " ".join(refused.messages)}, status=422
            )
        request.session.pop(SESSION_INVITATION, None)
        return _joined(request, invitation.account, membership.get_role_display())
    return render(request, "accounts/invitation.html", context)


def _stranger(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    request.session[SESSION_INVITATION] = token
    # Who holds the link reads the mailbox, so this address needs no second confirmation.
    get_adapter(request).stash_verified_email(request, invitation.email)
    known = User.objects.filter(email__iexact=invitation.email).exists()
    query = urlencode({"next": request.path})
    context = {
        "invitation": invitation,
        "known": known,
        "sign_in_url": f"{reverse('account_login')}?{query}",
        "sign_up_url": reverse("account_signup"),
    }
    return render(request, "accounts/invitation.html", context)


def _joined(request: HttpRequest, account: Account, role: str) -> HttpResponse:
    messages.success(request, f"You are in {account.name} now, as {role.lower()}.")
    return HttpResponseRedirect(address(account))
