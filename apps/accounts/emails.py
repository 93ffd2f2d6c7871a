"""Every mail this floor sends, one function each (allauth's own mails have their templates)."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.models import Account, Invitation


def send_invitation(account: Account, invitation: Invitation, token: str, invited_by: str) -> None:
    """The link with which ``invitation`` is accepted."""
    context = {
        "account": account,
        "invitation": invitation,
        "invited_by": invited_by,
        "link": settings.BASE_URL + reverse("accept_invitation", args=[token]),
    }
    message = EmailMultiAlternatives(
        subject=f"{invited_by} invites you to {account.name} on Strongroom",
        body=render_to_string("accounts/email/invitation.txt", context),
        to=[invitation.email],
    )
    message.send()
