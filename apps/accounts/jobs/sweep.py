"""Finding work whose message or worker was lost, and sending it again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from apps.accounts.jobs.enqueue import send
from apps.accounts.models import Job
from apps.accounts.tenancy.scope import platform

GRACE_SECONDS = 5
"""How long a due job may wait for its own message before the sweep sends another."""


def sweep(*, limit: int = 500) -> int:
    """Send a message for each overdue job and each running one without a heartbeat. Returns how many."""
    now = timezone.now()
    overdue = Q(status=Job.Status.QUEUED, next_attempt_at__lte=now - timedelta(seconds=GRACE_SECONDS))
    orphaned = Q(status=Job.Status.RUNNING, heartbeat_at__lt=now - timedelta(seconds=settings.JOB_LEASE_SECONDS))
    with platform("find jobs whose message or worker was lost"):
        jobs = list(
            Job.objects.select_for_update(skip_locked=True)
            .filter(overdue | orphaned)
            .order_by("next_attempt_at")
            .values_list("account_id", "id")[:limit]
        )
        # Not again before the grace has passed once more, whatever becomes of these messages.
        Job.objects.filter(pk__in=[job_id for _, job_id in jobs]).update(next_attempt_at=now)
    for account_id, job_id in jobs:
        send(account_id, job_id)
    return len(jobs)
