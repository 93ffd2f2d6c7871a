"""allauth's forms in this product's words, and a sign-up that makes an account or takes up an invitation."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account_forms
from allauth.account.adapter import get_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.db import transaction
from django.http import HttpRequest

from apps.accounts.adapter import SESSION_INVITATION
from apps.accounts.models import Invitation, User
from apps.accounts.names import one_line
from apps.accounts.services import invitations
from apps.accounts.services.create_account import create_account
from apps.accounts.services.update_profile import update_profile

EMPTY = {
    "login": "Write your e-mail.",
    "email": "Write an e-mail address.",
    "name": "Write your name.",
    "company": "Write the name of your company or team.",
    "password": "Write your password.",
    "oldpassword": "Write your current password.",
    "password1": "Choose a password.",
    "password2": "Write the new password once more.",
    "code": "Write the code.",
}
NOT_AN_ADDRESS = "This is not an e-mail address. Write it as name@company.com."


class PlainWords:
    """Says what is missing instead of "This field is required."."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.error_messages["required"] = EMPTY.get(name, "Fill this in.")
            if isinstance(field, forms.EmailField):
                field.error_messages["invalid"] = NOT_AN_ADDRESS


class SignUpForm(PlainWords, account_forms.SignupForm):
    """Name, company, e-mail and password; who came by an invitation joins that account and needs no company."""

    field_order = ("name", "company", "email", "password1")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.invitation = _invitation()
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(
            max_length=120,
            validators=[one_line],
            label="Your name",
            widget=forms.TextInput(attrs={"autocomplete": "name"}),
        )
        if self.invitation is None:
            self.fields["company"] = forms.CharField(
                max_length=120,
                validators=[one_line],
                label="Company or team",
                widget=forms.TextInput(attrs={"autocomplete": "organization"}),
            )
        else:
            self.fields["email"].initial = self.invitation.email
            self.fields["email"].widget.attrs["readonly"] = True
        for name in ("name", "company"):
            if name in self.fields:
                self.fields[name].error_messages["required"] = EMPTY[name]
        self.order_fields(self.field_order)

    def clean_email(self) -> str:
        """The invitation's own address for those who came by one: the link proves that mailbox and no other."""
        if self.invitation is not None:
            self.cleaned_data["email"] = self.invitation.email
        return super().clean_email()

    @transaction.atomic
    def save(self, request: HttpRequest) -> User:
        """The user with their account or membership: all or nothing."""
        return super().save(request)

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the user is saved."""
        update_profile(user, name=self.cleaned_data["name"])
        if self.invitation is None:
            create_account(name=self.cleaned_data["company"], owner=user)
        else:
            invitations.accept(get_adapter(request).invitation_token, user=user)
            request.session.pop(SESSION_INVITATION, None)


def _invitation() -> Invitation | None:
    token = get_adapter().invitation_token
    return invitations.find(token) if token else None


class LoginForm(PlainWords, account_forms.LoginForm):
    """Sign in."""


class AddEmailForm(PlainWords, account_forms.AddEmailForm):
    """Add an address."""


class ChangePasswordForm(PlainWords, account_forms.ChangePasswordForm):
    """Change the password."""


class SetPasswordForm(PlainWords, account_forms.SetPasswordForm):
    """Set a first password."""


class ResetPasswordForm(PlainWords, account_forms.ResetPasswordForm):
    """Ask for a link."""


class ResetPasswordKeyForm(PlainWords, account_forms.ResetPasswordKeyForm):
    """Choose a new password by the link."""


class ReauthenticateForm(PlainWords, account_forms.ReauthenticateForm):
    """The password once more."""


class AuthenticateForm(PlainWords, mfa_forms.AuthenticateForm):
    """The second factor."""


class MFAReauthenticateForm(PlainWords, mfa_forms.ReauthenticateForm):
    """The second factor once more."""


class ActivateTOTPForm(PlainWords, totp_forms.ActivateTOTPForm):
    """The first code of an app."""
