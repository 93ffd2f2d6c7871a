"""Records in the audit trail what Django's, allauth's and django-otp's signals tell."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth_signals
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.signin.trail import record_for, record_unknown


def connect() -> None:
    """Connect every receiver; AppConfig.ready() does this once."""
    for signal, receiver, sender in (
        (auth_signals.user_logged_in, _signed_in, None),
        (auth_signals.user_login_failed, _failed, None),
        (auth_signals.user_logged_out, _signed_out, None),
        (account_signals.user_signed_up, _signed_up, None),
        (account_signals.password_changed, _password_changed, None),
        (account_signals.password_set, _password_changed, None),
        (account_signals.password_reset, _password_reset, None),
        (account_signals.email_added, _email_added, None),
        (account_signals.email_confirmed, _email_confirmed, None),
        (account_signals.email_changed, _email_changed, None),
        (account_signals.email_removed, _email_removed, None),
        (mfa_signals.authenticator_used, _factor_used, None),
        (mfa_signals.authentication_failed, _factor_failed, None),
        # Not allauth's own "added": it is sent after the commit, when it is too late to refuse.
        (post_save, _factor_saved, Authenticator),
        (post_delete, _factor_removed, Authenticator),
    ):
        signal.connect(receiver, sender=sender, dispatch_uid=f"accounts.signin.{receiver.__name__}.{id(signal)}")


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    record_for(user, "user.signed_in")


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    address = str(credentials.get("email") or credentials.get("username") or "")
    again = request is not None and request.user.is_authenticated
    _record_failure(address, {"reason": "wrong password", **({"while": "signed in"} if again else {})})


def record_refusal(address: str) -> None:
    """Somebody tried too often with ``address``."""
    _record_failure(address, {"reason": "too many tries"})


def _record_failure(address: str, changes: dict[str, str]) -> None:
    users = filter_users_by_email(address) if address else []
    for user in users:
        record_for(user, "user.sign_in_failed", changes=changes)
    if not users:
        record_unknown(address, "user.sign_in_failed", changes=changes)


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        record_for(user, "user.signed_out")


def _signed_up(request: HttpRequest, user: User, **_: Any) -> None:
    record_for(user, "user.signed_up")


def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    record_for(user, "user.password_changed")


def _password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    record_for(user, "user.password_reset")


def _email_added(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    record_for(user, "user.email_added", changes={"email": email_address.email})


def _email_confirmed(request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    record_for(email_address.user, "user.email_confirmed", changes={"email": email_address.email})


def _email_changed(
    request: HttpRequest, user: User, from_email_address: EmailAddress | None, to_email_address: EmailAddress, **_: Any
) -> None:
    before = from_email_address.email if from_email_address else ""
    record_for(user, "user.email_changed", changes={"email": [before, to_email_address.email]})


def _email_removed(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    record_for(user, "user.email_removed", changes={"email": email_address.email})


def _factor_used(
    request: HttpRequest, user: User, authenticator: Authenticator, reauthenticated: bool = False, **_: Any
) -> None:
    changes = {"type": authenticator.type, **({"while": "signed in"} if reauthenticated else {})}
    record_for(user, "second_factor.used", changes=changes)


def _factor_failed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    record_for(user, "second_factor.failed", changes={"type": authenticator.type})


def _factor_saved(instance: Authenticator, created: bool, raw: bool = False, **_: Any) -> None:
    if created and not raw:
        record_for(instance.user, "second_factor.added", changes={"type": instance.type})


def _factor_removed(instance: Authenticator, **_: Any) -> None:
    record_for(instance.user, "second_factor.removed", changes={"type": instance.type})
