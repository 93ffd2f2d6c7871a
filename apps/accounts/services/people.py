"""What the operator may do to people who sign in. Each leaves an entry in the trails of their accounts."""

from __future__ import annotations

from functools import partial

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice

from apps.accounts import credentials
from apps.accounts.actors import Actor
from apps.accounts.models import APIKey, User
from apps.accounts.services.sessions import end_all_sessions
from apps.accounts.signin.trail import record_for
from apps.accounts.tenancy.scope import platform, tenant


@transaction.atomic
def switch_off(user: User, *, actor: Actor) -> None:
    """Let ``user`` sign in no more: their sessions end, and the API keys they made stop working.

    Raises PermissionDenied for oneself, ValidationError for the last super admin.
    """
    _require_staff(actor)
    if actor.user_id == user.pk:
        raise PermissionDenied("Nobody switches themselves off.")
    _keep_a_super_admin(user)
    record_for(user, "user.switched_off", actor=actor, changes={"api_keys_disabled": _disable_keys(user)})
    end_all_sessions(user, actor=actor)
    user.is_active = False
    user.save(update_fields=["is_active"])


@transaction.atomic
def switch_on(user: User, *, actor: Actor) -> None:
    """Let ``user`` sign in again. Their API keys stay off."""
    _require_staff(actor)
    user.is_active = True
    user.save(update_fields=["is_active"])
    record_for(user, "user.switched_on", actor=actor)


@transaction.atomic
def remove_second_factors(user: User, *, actor: Actor) -> int:
    """Take a lost authenticator (and its recovery codes, and static tokens) away. Returns how many were removed.

    The sessions end too: whoever found the authenticator may have used it.
    """
    _require_staff(actor)
    if actor.user_id == user.pk:
        raise PermissionDenied("Your own second factors are on your security page.")
    factors = list(Authenticator.objects.filter(user=user))
    for factor in factors:
        factor.delete()
    StaticDevice.objects.filter(user=user).delete()
    record_for(user, "user.second_factors_removed", actor=actor, changes={"count": len(factors)})
    end_all_sessions(user, actor=actor)
    return len(factors)


@transaction.atomic
def sign_out_everywhere(user: User, *, actor: Actor) -> int:
    """End all sessions of ``user``. Returns how many there were."""
    _require_staff(actor)
    return end_all_sessions(user, actor=actor)


@transaction.atomic
def make_super_admin(user: User, *, actor: Actor) -> None:
    """Let ``user`` open the admin (once they show a second factor). Raises ValidationError for unproven addresses."""
    _require_staff(actor)
    if not EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        raise ValidationError(f"{user.email} was never confirmed.")
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
    record_for(user, "staff.super_admin_made", actor=actor, changes={"email": user.email, "new_person": False})


@transaction.atomic
def unmake_super_admin(user: User, *, actor: Actor) -> None:
    """Take the operator's rights away. Raises PermissionDenied for oneself, ValidationError for the last one."""
    _require_staff(actor)
    if actor.user_id == user.pk:
        raise PermissionDenied("Somebody else has to take your rights away.")
    _keep_a_super_admin(user)
    record_for(user, "staff.super_admin_unmade", actor=actor, changes={"email": user.email})
    user.is_staff = user.is_superuser = False
    user.save(update_fields=["is_staff", "is_superuser"])
    StaticDevice.objects.filter(user=user).delete()


def _require_staff(actor: Actor) -> None:
    if actor.kind not in {"staff", "system"}:
        raise PermissionDenied("Only the operator does this.")


def _keep_a_super_admin(leaving: User) -> None:
    others = User.objects.select_for_update().filter(is_superuser=True, is_staff=True, is_active=True)
    if leaving.is_superuser and not any(other.pk != leaving.pk for other in others):
        raise ValidationError(f"{leaving.email} is the last super admin. Make someone else one first.")


def _disable_keys(user: User) -> int:
    with platform("find the API keys that a person made"):
        keys = list(APIKey.objects.filter(created_by_id=user.pk, enabled=True).order_by("account_id"))
    for key in keys:
        with tenant(key.account_id):
            APIKey.objects.filter(pk=key.pk).update(enabled=False)
        credentials.forget(key.key_id)
        transaction.on_commit(partial(credentials.forget, key.key_id))
    return len(keys)
