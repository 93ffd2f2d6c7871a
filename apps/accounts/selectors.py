"""Read queries of this floor that span models."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Q

from apps.accounts.models import Account, Membership, User
from apps.accounts.tenancy.scope import platform


def memberships_of(user: User) -> list[Membership]:
    """Every membership of a person, with its account, by the account's name."""
    with platform("list the accounts of a signed-in user"):
        return list(Membership.objects.select_related("account").filter(user=user).order_by("account__name"))


def second_factors(user_ids: Sequence[UUID | None]) -> dict[UUID, str]:
    """The strongest second factor of each user that has one: "Passkey" or "Authenticator app"."""
    names = {Authenticator.Type.TOTP: "Authenticator app", Authenticator.Type.WEBAUTHN: "Passkey"}
    rows = Authenticator.objects.filter(user_id__in=user_ids, type__in=names).values_list("user_id", "type")
    # Passkeys last, so that they win.
    return {user_id: names[Authenticator.Type(kind)] for user_id, kind in sorted(rows, key=lambda row: row[1])}


def account_named(name: str) -> Account | None:
    """The account that an operator means by a slug or an id; None when there is none."""
    try:
        which = Q(pk=UUID(name))
    except ValueError:
        which = Q(slug=name)
    with platform("find the account that an operator names"):
        return Account.objects.filter(which).first()
