"""Inviting people to an account by e-mail."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.emails import send_invitation
from apps.accounts.models import Account, Invitation, Membership, User
from apps.accounts.permissions import require
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant

VALID_FOR = timedelta(days=7)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def invite(*, account: Account, email: str, role: Role, actor: Actor) -> Invitation:
    """Invite ``email`` as ``role`` and send the link after commit. Only owners invite owners.

    An invitation that ran out is renewed. Raises PermissionDenied, or ValidationError on ``email`` when they
    are a member or invited already.
    """
    require(actor, "members.invite")
    if role == Role.OWNER:
        require(actor, "members.manage_owners")
    email = email.strip().lower()
    if Membership.objects.filter(user__email__iexact=email).exists():
        raise ValidationError({"email": ValidationError(f"{email} is a member already.", code="member")})
    pending = Invitation.objects.filter(email__iexact=email, accepted_at=None, revoked_at=None).first()
    if pending is not None and pending.status == "open":
        raise ValidationError(
            {"email": ValidationError(f"{email} is invited already. Send it again from the list.", code="invited")}
        )
    invitation = pending or Invitation(email=email)
    invitation.role, invitation.invited_by_id = role, actor.user_id
    token = _renew(invitation)
    invitation.full_clean(exclude=["id", "token_hash"])
    invitation.save()
    audit.record(
        "invitation.sent", actor=actor, entity=invitation, label=email, changes={"role": role.value, "email": email}
    )
    transaction.on_commit(partial(send_invitation, account, invitation, token, actor.label))
    return invitation


def resend(invitation: Invitation, *, account: Account, actor: Actor) -> Invitation:
    """Send a new link; the old one stops working. Raises PermissionDenied, ValidationError when it is ended."""
    require(actor, "members.invite")
    if invitation.status not in {"open", "expired"}:
        raise ValidationError(f"This invitation was {invitation.status} already.", code=invitation.status)
    token = _renew(invitation)
    invitation.save(update_fields=["token_hash", "expires_at", "updated_at"])
    audit.record("invitation.resent", actor=actor, entity=invitation, label=invitation.email)
    transaction.on_commit(partial(send_invitation, account, invitation, token, actor.label))
    return invitation


def revoke(invitation: Invitation, *, actor: Actor) -> None:
    """Make the link worthless. Raises PermissionDenied, ValidationError when it is ended already."""
    require(actor, "members.invite")
    if invitation.status not in {"open", "expired"}:
        raise ValidationError(f"This invitation was {invitation.status} already.", code=invitation.status)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at", "updated_at"])
    audit.record("invitation.revoked", actor=actor, entity=invitation, label=invitation.email)


def find(token: str) -> Invitation | None:
    """The open invitation that a link's token stands for, with its account; None for any other token."""
    with platform("find the invitation of a link"):
        invitation = Invitation.objects.select_related("account", "invited_by").filter(token_hash=_hash(token)).first()
    return invitation if invitation and invitation.status == "open" else None


def accept(token: str, *, user: User) -> Membership:
    """Make ``user`` a member as invited. Being a member already keeps the role and uses the link up.

    The link proves the mailbox; it works only for the address it was sent to. Raises ValidationError.
    """
    found = find(token)
    if found is None:
        raise ValidationError("This invitation has run out or was withdrawn. Ask for a new one.", code="ended")
    if found.email.lower() != user.email.lower():
        raise ValidationError(f"This invitation is for {found.email}. Sign in with that address.", code="wrong_user")
    actor = Actor.person(user)
    with tenant(found.account):
        invitation = Invitation.objects.select_for_update().get(pk=found.pk)
        if invitation.status != "open":
            raise ValidationError("This invitation has run out or was withdrawn. Ask for a new one.", code="ended")
        membership, created = Membership.objects.get_or_create(user=user, defaults={"role": invitation.role})
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at", "updated_at"])
        audit.record(
            "invitation.accepted",
            actor=actor,
            entity=invitation,
            label=invitation.email,
            changes={"role": membership.role, "joined": created},
        )
    return membership


def _renew(invitation: Invitation) -> str:
    token = secrets.token_urlsafe(32)
    invitation.token_hash = _hash(token)
    invitation.expires_at = timezone.now() + VALID_FOR
    return token
