"""Sending an invitation's link, as a job: a mail server that is away delays it and breaks nothing."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import UTC
from typing import Any

from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps.accounts.actors import Actor
from apps.accounts.emails import MailRefused, MailServerAway, send_invitation
from apps.accounts.jobs import PermanentFailure, Retry, RunningJob, enqueue, job_kind
from apps.accounts.models import Invitation, Job

KIND = "invitation.mail"


def token_of(invitation: Invitation) -> str:
    """The secret of the invitation's link: 256 bits, the same until the invitation is renewed.

    Derived rather than stored, so that a job that is tried again sends the same link and no secret lies in its row.
    """
    until = invitation.expires_at.astimezone(UTC).isoformat()
    mac = salted_hmac("accounts.invitation", f"{invitation.id}:{until}", algorithm="sha256")
    return urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def hash_of(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def queue_mail(invitation: Invitation, *, actor: Actor) -> Job:
    """Put the mail in line, in the transaction that makes or renews the invitation."""
    payload = {
        "invitation": str(invitation.id),
        "expires_at": invitation.expires_at.astimezone(UTC).isoformat(),
        # A program or command that invites; people are found by the invitation itself.
        "invited_by": "" if actor.user_id else actor.label,
    }
    return enqueue(KIND, actor=actor, payload=payload)


def _give_up(job: RunningJob, reason: str) -> None:
    _current(job).update(mail_problem=reason, updated_at=timezone.now())


@job_kind(KIND, label="mail of an invitation", max_attempts=12, base_delay=5.0, max_delay=3600.0, on_failure=_give_up)
def mail_invitation(job: RunningJob) -> dict[str, Any]:
    """Send the link, unless the invitation has ended or a newer link was asked for."""
    with job.scope():
        invitation = _current(job).select_related("account", "invited_by").first()
        if invitation is None or invitation.status != "open":
            return {"sent": False}
        token = token_of(invitation)
        # Only other than before when SECRET_KEY was changed meanwhile.
        _current(job).update(token_hash=hash_of(token))
    try:
        send_invitation(invitation.account, invitation, token, job.payload["invited_by"])
    except MailRefused as refusal:
        raise PermanentFailure(str(refusal)) from refusal
    except MailServerAway as away:
        with job.scope():
            _current(job).update(mail_problem=f"{away} It is tried again by itself.", updated_at=timezone.now())
        raise Retry(str(away)) from away
    with job.scope():
        _current(job).update(sent_at=timezone.now(), mail_problem="", updated_at=timezone.now())
    return {"sent": True}


def _current(job: RunningJob) -> Any:
    """The invitation, unless it was renewed after this job was made: then another job sends the newer link."""
    return Invitation.objects.filter(pk=job.payload["invitation"], expires_at=job.payload["expires_at"])
