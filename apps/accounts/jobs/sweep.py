"""Finding work whose message or worker was lost, and sending it again.

How often a job is sent again depends on how long it has waited: after 5 s, 10 s, 20 s …, at most every five minutes.
So a broker that has lost its memory is told at once, and one that is only slow is not filled with copies.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Case, F, Q, When
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from apps.accounts.jobs.enqueue import send
from apps.accounts.jobs.registry import is_bulk
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import platform

GRACE_SECONDS = 5
"""How long a due job may wait for its own message before the sweep sends another."""
MOST_SECONDS = 300
"""The longest pause between two messages for the same job."""


def sweep(*, limit: int = 500) -> int:
    """Send a message for each overdue job and each running one without a heartbeat. Returns how many.

    Those of suspended accounts wait until the account is active again.
    """
    now = timezone.now()
    lease = timedelta(seconds=settings.JOB_LEASE_SECONDS)
    overdue = Q(status=Job.Status.QUEUED, next_attempt_at__lte=now - timedelta(seconds=GRACE_SECONDS))
    orphaned = Q(status=Job.Status.RUNNING, heartbeat_at__lt=now - lease)
    untold = Q(resend_at=None) | Q(resend_at__lte=now)
    with platform("find jobs whose message or worker was lost"):
        jobs = list(
            Job.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(overdue | orphaned, untold, account__status=Account.Status.ACTIVE)
            .order_by("next_attempt_at")
            .values_list("account_id", "id", "kind")[:limit]
        )
        due = Case(When(status=Job.Status.RUNNING, then=F("heartbeat_at") + lease), default=F("next_attempt_at"))
        pause = Least(Greatest(now - due, timedelta(seconds=GRACE_SECONDS)), timedelta(seconds=MOST_SECONDS))
        Job.objects.filter(pk__in=[job_id for _, job_id, _ in jobs]).update(resend_at=now + pause)
    for sent, (account_id, job_id, kind) in enumerate(jobs):
        if not send(account_id, job_id, is_bulk=is_bulk(kind)):
            # It would refuse the others too, each after a while: they are the next sweep's.
            _give_back([left for _, left, _ in jobs[sent:]])
            return sent
    return len(jobs)


def _give_back(job_ids: list[UUID]) -> None:
    with platform("let jobs be sent by the next sweep"):
        Job.objects.filter(pk__in=job_ids).update(resend_at=None)
