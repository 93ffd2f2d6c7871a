"""Where it is recorded what a person does to their own sign-in.

A person may belong to several accounts, and each may know that somebody who can open it signed in, failed to, or
changed how they sign in. So the entry stands in the trail of every account of theirs, and in the platform's trail
for super admins and for people without an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.core import context as allauth_context
from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.masking import address_mark, masked_email
from apps.accounts.models import Membership, User
from apps.accounts.tenancy.scope import platform, tenant


@transaction.atomic
def record_for(
    user: User, action: str, *, actor: Actor | None = None, changes: Mapping[str, Any] | None = None
) -> None:
    """Record ``action`` of (or upon) ``user`` in all trails it belongs in, or in none.

    ``actor`` is the person themselves unless somebody else is signed in here. Raises NotAudited.
    """
    actor = actor or _whoever_acts(user)
    with platform("find the trails of a person"):
        # In one order everywhere, so that two of them never wait for each other's trails.
        accounts = list(
            Membership.objects.filter(user_id=user.pk).order_by("account_id").values_list("account_id", flat=True)
        )
    for account_id in accounts:
        with tenant(account_id):
            audit.record(action, actor=actor, entity=user, label=user.email, changes=changes)
    if user.is_superuser or not accounts:
        with platform("record what a person did to their sign-in"):
            audit.record(action, actor=actor, entity=user, label=user.email, changes=changes)


def record_unknown(address: str, action: str, *, changes: Mapping[str, Any] | None = None) -> None:
    """Record in the platform's trail what somebody tried with an address that nobody has: masked, never in full."""
    shown = masked_email(address)
    with platform("record an attempt with an unknown address"):
        audit.record(
            action,
            actor=Actor.anonymous(shown),
            label=shown,
            changes={**(changes or {}), "address_mark": address_mark(address)},
        )


def _whoever_acts(user: User) -> Actor:
    request = allauth_context.request
    person = getattr(request, "user", None)
    if isinstance(person, User) and person.pk != user.pk:
        return Actor.staff(person)
    return Actor.person(user)
