"""How allauth speaks and decides in this product."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from apps.accounts.emails import MailRefused, MailServerAway, mail_server
from apps.accounts.masking import address_mark
from apps.accounts.signin.receivers import record_refusal

SESSION_INVITATION = "invitation"
"""Session key of the token somebody came with: sign-up takes the invitation up instead of making an account."""

_REFUSALS_SECONDS = 300

_AWAITED = frozenset(
    {
        "account_already_exists",
        "email_confirmation",
        "email_confirmation_signup",
        "password_reset_key",
        "unknown_account",
    }
)
"""Mails whose link or words somebody waits for; the others only tell what has happened."""

_SENT = "account/messages/email_confirmation_sent.txt"
_AGAIN = "Try again in a few minutes; if it stays so, tell the people who run this installation."


class AccountAdapter(DefaultAccountAdapter):
    """Words of sign-in. Limits: five wrong passwords per address and five minutes (allauth's default)."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This sign-in is switched off. Ask the people who run this installation.",
        "cannot_remove_primary_email": "This is your first address. Make another one first, then remove it.",
        "duplicate_email": "You have this address already.",
        "email_password_mismatch": (
            "That e-mail and password don’t match. After five wrong tries sign-in pauses for five minutes."
        ),
        "email_taken": "Someone already signs in with this address.",
        "enter_current_password": "This is not your current password.",
        "incorrect_code": "This code is not right.",
        "incorrect_password": "This is not your password.",
        "invalid_or_expired_key": "This link no longer works.",
        "invalid_password_reset": "This link no longer works.",
        "max_email_addresses": "You have %d addresses, which is as many as one person can have.",
        "rate_limited": "Too many tries in a short time. Wait a minute, then try again.",
        "same_as_current": "This is what it is now.",
        "too_many_login_attempts": "Too many wrong tries. Sign-in for this address pauses for five minutes.",
        "unknown_email": "Nobody signs in with this address.",
        "unverified_primary_email": "Confirm this address first.",
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """As allauth, with the product's own address for links that are not part of a request.

        Sent after the commit: what did not happen is not told, and a slow mail server holds no lock. By then it is too
        late to refuse, so a mail that can't be sent is logged, and told to whoever waits for it.
        """
        send = super().send_mail
        request = allauth_context.request
        awaited = template_prefix.rpartition("/")[2] in _AWAITED

        def send_or_tell() -> None:
            try:
                with mail_server():
                    send(template_prefix, email, {"base_url": settings.BASE_URL, **context})
            except (MailServerAway, MailRefused) as error:
                if awaited and request is not None:
                    request.mail_not_sent = True  # type: ignore[attr-defined]
                    messages.error(request, f"{error} So no mail was sent. {_AGAIN}")

        transaction.on_commit(send_or_tell)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **options: Any
    ) -> None:
        """As allauth; that a link was sent is said when it was, which is after the commit."""
        add = partial(super().add_message, request, level, message_template, *args, **options)
        if message_template == _SENT:
            transaction.on_commit(lambda: None if getattr(request, "mail_not_sent", False) else add())
        else:
            add()

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth's limits on guessing. The first refusal of a row of them is recorded, the others only refused."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            address = str(credentials.get("email") or credentials.get("username") or "")
            if cache.add(f"sign-in-refused:{address_mark(address)}", True, _REFUSALS_SECONDS):
                record_refusal(address)
            raise

    @property
    def invitation_token(self) -> str:
        """The invitation the current visitor came with, or ""."""
        request = allauth_context.request
        return request.session.get(SESSION_INVITATION, "") if request is not None else ""


class SecondFactorAdapter(DefaultMFAAdapter):
    """Words of the second factor."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": "This second factor can’t be turned off.",
        "cannot_generate_recovery_codes": "Turn on the authenticator app first.",
        "incorrect_code": "This code is not right. Wait for the next one and check the clock of your phone.",
        "unverified_email": "Confirm every e-mail address of yours first, or remove those you don’t use.",
    }
