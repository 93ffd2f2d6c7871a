"""Inviting people to an account by e-mail."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Account, Invitation, Membership, User
from apps.accounts.permissions import require
from apps.accounts.roles import Role
from apps.accounts.services.invitation_mail import hash_of, queue_mail, token_of
from apps.accounts.tenancy.scope import platform, tenant

VALID_FOR = timedelta(days=7)


def invite(*, account: Account, email: str, role: Role, actor: Actor) -> Invitation:
    """Invite ``email`` as ``role``; a job sends the link. Only owners invite owners.

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
        raise _invited_already(email)
    invitation = pending or Invitation(email=email)
    invitation.role, invitation.invited_by_id = role, actor.user_id
    _renew(invitation)
    # The rule of one open invitation is the database's: between a look of ours and the write somebody else may write.
    invitation.full_clean(exclude=["id", "token_hash"], validate_constraints=False)
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError as error:
        raise _invited_already(email) from error
    audit.record(
        "invitation.sent", actor=actor, entity=invitation, label=email, changes={"role": role.value, "email": email}
    )
    queue_mail(invitation, actor=actor)
    return invitation


def _invited_already(email: str) -> ValidationError:
    words = f"{email} is invited already. Send it again from the list."
    return ValidationError({"email": ValidationError(words, code="invited")})


def resend(invitation: Invitation, *, account: Account, actor: Actor) -> Invitation:
    """Send a new link; the old one stops working. Raises PermissionDenied, ValidationError when it is ended."""
    require(actor, "members.invite")
    if invitation.status not in {"open", "expired"}:
        raise ValidationError(f"This invitation was {invitation.status} already.", code=invitation.status)
    _renew(invitation)
    invitation.save(update_fields=["token_hash", "expires_at", "sent_at", "mail_problem", "updated_at"])
    audit.record("invitation.resent", actor=actor, entity=invitation, label=invitation.email)
    queue_mail(invitation, actor=actor)
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
        invitation = (
            Invitation.objects.select_related("account", "invited_by").filter(token_hash=hash_of(token)).first()
        )
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


def _renew(invitation: Invitation) -> None:
    invitation.expires_at = timezone.now() + VALID_FOR
    invitation.token_hash = hash_of(token_of(invitation))
    invitation.sent_at, invitation.mail_problem = None, ""
