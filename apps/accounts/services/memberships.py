"""Changing who belongs to an account. An account always has an owner."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from apps.accounts import audit, credentials
from apps.accounts.actors import Actor
from apps.accounts.models import Account, APIKey, Membership
from apps.accounts.permissions import require
from apps.accounts.roles import Role
from apps.accounts.signals import membership_ended


def change_role(membership: Membership, *, role: Role, actor: Actor) -> Membership:
    """Give a member another role. Only owners make or unmake owners.

    Raises PermissionDenied, or ValidationError (``last_owner``) when nobody would be owner any more.
    """
    require(actor, "members.change_role")
    membership = _locked(membership)
    before = Role(membership.role)
    if role == before:
        return membership
    if Role.OWNER in {role, before}:
        require(actor, "members.manage_owners")
    if before == Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role", "updated_at"])
    audit.record(
        "member.role_changed",
        actor=actor,
        entity=membership,
        label=membership.user.email,
        changes={"role": [before.value, role.value]},
    )
    return membership


def remove_member(membership: Membership, *, actor: Actor) -> None:
    """End a membership: an admin's doing, or the member's own. Their API keys of this account end with it.

    Raises PermissionDenied, or ValidationError (``last_owner``).
    """
    membership = _locked(membership)
    if actor.user_id != membership.user_id or actor.kind != "user":
        require(actor, "members.remove")
        if membership.role == Role.OWNER:
            require(actor, "members.manage_owners")
    if membership.role == Role.OWNER:
        _keep_an_owner(membership)
    keys = list(APIKey.objects.filter(created_by_id=membership.user_id, enabled=True))
    for key in keys:
        key.enabled = False
        key.save(update_fields=["enabled", "updated_at"])
        transaction.on_commit(lambda key_id=key.key_id: credentials.forget(key_id))  # type: ignore[misc]
    audit.record(
        "member.removed",
        actor=actor,
        entity=membership,
        label=membership.user.email,
        changes={"role": membership.role, "api_keys_disabled": [key.prefix for key in keys]},
    )
    membership_ended.send(sender=Membership, membership=membership, actor=actor)
    membership.delete()


def _locked(membership: Membership) -> Membership:
    """The row as it is now. All owner changes of an account queue behind its own row, so two can't both be last."""
    Account.objects.select_for_update().get(pk=membership.account_id)
    found = Membership.objects.select_related("user").filter(pk=membership.pk).first()
    if found is None:
        raise PermissionDenied("This membership has ended already.")
    return found


def _keep_an_owner(leaving: Membership) -> None:
    if not Membership.objects.filter(role=Role.OWNER).exclude(pk=leaving.pk).exists():
        account = Account.objects.get(pk=leaving.account_id)
        raise ValidationError(
            {
                "role": ValidationError(
                    f"{account.name} needs an owner. Make someone else owner first.", code="last_owner"
                )
            }
        )
