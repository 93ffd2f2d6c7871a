"""Every mail this floor sends, one function each (allauth's own mails have their templates)."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.models import Account, Invitation


def send_invitation(account: Account, invitation: Invitation, token: str, invited_by: str) -> None:
    """The link with which ``invitation`` is accepted. ``invited_by`` names a program or command that invites."""
    inviter = invitation.invited_by
    who = inviter.display_name if inviter else invited_by
    context = {
        "account": account,
        "invitation": invitation,
        "invited_by": who,
        "link": settings.BASE_URL + reverse("accept_invitation", args=[token]),
    }
    message = EmailMultiAlternatives(
        # A line break in a name would be a second header.
        subject=" ".join(f"{who} invites you to {account.name} on Strongroom".split()),
        body=render_to_string("accounts/email/invitation.txt", context),
        to=[invitation.email],
    )
    message.send()
