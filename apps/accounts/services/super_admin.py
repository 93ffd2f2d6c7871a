"""Making a super admin: the platform's operator."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import User

STATIC_TOKENS = 10
_DEVICE = "Break glass"


@dataclass(frozen=True)
class SuperAdmin:
    """The user, and their static tokens, each good for one sign-in; shown once."""

    user: User
    static_tokens: list[str]


@transaction.atomic
def create_super_admin(*, email: str, password: str) -> SuperAdmin:
    """Make the user, confirmed and with static tokens for the time before (or without) their own second factor.

    Raises ValidationError when the e-mail is malformed or in use.
    """
    validate_email(email)
    if User.objects.filter(email__iexact=email).exists():
        raise ValidationError({"email": f"{email} is in use."})
    user = User.objects.create_superuser(email, password)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    tokens = new_static_tokens(user)
    audit.record("super_admin.created", actor=Actor.system("create_super_admin"), entity=user, label=user.email)
    return SuperAdmin(user, tokens)


@transaction.atomic
def new_static_tokens(user: User) -> list[str]:
    """Fresh break-glass tokens; those before stop working."""
    device, _ = StaticDevice.objects.get_or_create(user=user, name=_DEVICE)
    device.token_set.all().delete()
    tokens = [StaticToken.random_token() for _ in range(STATIC_TOKENS)]
    StaticToken.objects.bulk_create([StaticToken(device=device, token=token) for token in tokens])
    audit.record("super_admin.tokens_made", actor=Actor.system("static tokens"), entity=user, label=user.email)
    return tokens
