"""Read queries of this floor that span models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Q, QuerySet

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
    with platform("find the account that an operator names"):
        return Account.objects.filter(_meant(name)).first()


def accounts_named(accounts: QuerySet[Account], names: Sequence[str]) -> tuple[QuerySet[Account], list[str]]:
    """Those of ``accounts`` that an operator means by slugs or ids, and the names that mean none of them.

    No names: all of them. Asked in the platform's scope.
    """
    if not names:
        return accounts, []
    known = {str(name) for row in accounts.values_list("slug", "id") for name in row}
    missing = sorted(name for name in set(names) if _as_id(name) not in known and name not in known)
    return accounts.filter(reduce(or_, map(_meant, names))), missing


def _meant(name: str) -> Q:
    key = _as_id(name)
    return Q(pk=key) if key else Q(slug=name)


def _as_id(name: str) -> str:
    try:
        return str(UUID(name))
    except ValueError:
        return ""
