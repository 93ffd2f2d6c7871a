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
    """Give a member another role, and no more to the API keys they made. Only owners make or unmake owners.

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
    lowered = _lower_keys(membership, role)
    changes: dict[str, object] = {"role": [before.value, role.value]}
    if lowered:
        changes["api_keys_lowered"] = lowered
    audit.record(
        "member.role_changed",
        actor=actor,
        entity=membership,
        label=membership.user.email,
        changes=changes,
    )
    return membership


def _lower_keys(membership: Membership, role: Role) -> list[str]:
    """Bring the member's keys down to ``role``; they would outlive the right to make them otherwise."""
    higher = [other for other in Role if other.rank < role.rank]
    keys = list(APIKey.objects.filter(created_by_id=membership.user_id, role__in=higher))
    for key in keys:
        key.role = role
        key.save(update_fields=["role", "updated_at"])
        _forget_key(key)
    return [key.prefix for key in keys]


def _forget_key(key: APIKey) -> None:
    key_id = key.key_id
    credentials.forget(key_id)
    transaction.on_commit(lambda: credentials.forget(key_id))


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
        _forget_key(key)
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
    Account.objects.select_for_update(no_key=True).get(pk=membership.account_id)
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
