"""The forms of the tenant pages. They read and check input; services decide."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.names import one_line
from apps.accounts.roles import Role

SCOPES = (
    ("contacts.*", "Contacts"),
    ("audit.view", "Audit trail"),
    ("members.*", "Members and invitations"),
    ("api_keys.*", "API keys"),
    ("account.*", "Account settings"),
    ("project.*", "AI project"),
    ("features.*", "AI features"),
    ("jobs.*", "Background jobs"),
)


def add_errors(form: forms.Form, error: ValidationError) -> None:
    """Put a service's refusal at the fields it names, and at the form where the form has no such field."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)  # type: ignore[arg-type]


class InviteForm(forms.Form):
    """One or more addresses and the role they are invited as. ``cleaned_data["emails"]`` is a list."""

    emails = forms.CharField(
        label="Invite by e-mail", error_messages={"required": "Write at least one e-mail address."}
    )
    role = forms.ChoiceField(choices=Role.choices)

    def __init__(self, *args: Any, may_invite_owners: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = [Role.MEMBER, Role.VIEWER, Role.ADMIN, *([Role.OWNER] if may_invite_owners else [])]
        self.fields["role"].choices = [(role.value, role.label) for role in order]  # type: ignore[attr-defined]

    def clean_emails(self) -> list[str]:
        words = re.split(r"[,;\s]+", self.cleaned_data["emails"])
        emails = list(dict.fromkeys(word.lower() for word in words if word))
        for email in emails:
            try:
                validate_email(email)
            except ValidationError:
                raise ValidationError(f"“{email}” is not an e-mail address. Write it as name@company.com.") from None
        return emails


class AccountForm(forms.Form):
    """Name and address of an account, and where its phone numbers come from."""

    name = forms.CharField(
        max_length=120, validators=[one_line], error_messages={"required": "An account needs a name."}
    )
    slug = forms.SlugField(
        max_length=60, label="Address", error_messages={"invalid": "Use a–z, 0–9 and hyphens between them."}
    )
    default_region = forms.ChoiceField(label="Country of phone numbers")

    def __init__(self, *args: Any, regions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["default_region"].choices = regions  # type: ignore[attr-defined]


class NewAccountForm(forms.Form):
    """The name of another account."""

    name = forms.CharField(
        max_length=120,
        validators=[one_line],
        label="Company or team",
        error_messages={"required": "Write the name of the company or team."},
    )


class ProfileForm(forms.Form):
    """What others see of a person, and how the pages look to them."""

    name = forms.CharField(max_length=120, validators=[one_line], required=False, label="Your name")
    theme = forms.ChoiceField(
        required=False, label="Look", choices=[("", "As my device"), ("light", "Light"), ("dark", "Dark")]
    )


class APIKeyForm(forms.Form):
    """A key's settings; who makes it can give it no higher role than their own. The service checks the rest."""

    name = forms.CharField(
        max_length=120,
        validators=[one_line],
        error_messages={"required": "A key needs a name, so that you recognise it later."},
    )
    role = forms.ChoiceField(label="Acts as")
    scopes = forms.MultipleChoiceField(required=False, choices=SCOPES, widget=forms.CheckboxSelectMultiple)
    rate_limit_per_hour = forms.IntegerField(required=False, min_value=1, label="Calls an hour")
    cost_limit_per_month = forms.DecimalField(
        required=False, min_value=0, max_digits=10, decimal_places=4, label="Cost a month, $"
    )
    expires_at = forms.DateField(
        required=False, label="Ends on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, highest: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [role for role in (Role.MEMBER, Role.VIEWER, Role.ADMIN, Role.OWNER) if role.rank >= highest.rank]
        self.fields["role"].choices = [(role.value, role.label) for role in roles]  # type: ignore[attr-defined]
