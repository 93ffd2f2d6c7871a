"""Making the operator's own people. Only the shell and other super admins do this."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.validators import validate_email
from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.signin import static_tokens
from apps.accounts.signin.trail import record_for


@dataclass(frozen=True)
class NewSuperAdmin:
    """What came of it. ``password`` and ``static_tokens`` are shown once and stored nowhere; empty if left alone."""

    user: User
    created: bool
    promoted: bool
    password: str = ""
    static_tokens: list[str] = field(default_factory=list)


@transaction.atomic
def create_super_admin(
    *, email: str, name: str = "", password: str = "", new_tokens: bool = False, actor: Actor | None = None
) -> NewSuperAdmin:
    """Make (or find) the super admin ``email``, with a confirmed address and static tokens. Safe to run twice.

    A password is made up when none is given; an existing person keeps theirs. Tokens are minted when there are
    none, or when ``new_tokens`` asks. Raises ValidationError for a bad address or a weak password.
    """
    actor = actor or Actor.system("create_super_admin")
    email = email.strip().lower()
    validate_email(email)
    user = User.objects.filter(email__iexact=email).first()
    made = user is None
    if user is None:
        password = password or secrets.token_urlsafe(15)
        user = User(email=email, name=name)
        validate_password(password, user)
        user.set_password(password)
    promoted = not (user.is_superuser and user.is_staff)
    user.is_superuser = user.is_staff = user.is_active = True
    user.save()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    if made or promoted:
        record_for(user, "staff.super_admin_made", actor=actor, changes={"email": user.email, "new_person": made})
    tokens: list[str] = []
    if new_tokens or not static_tokens.left(user):
        tokens = static_tokens.mint(user)
        record_for(user, "staff.static_tokens_minted", actor=actor, changes={"count": len(tokens)})
    return NewSuperAdmin(user, made, promoted and not made, password if made else "", tokens)
