"""What a worker does, done at once: for tests that look at what comes of a job."""

from __future__ import annotations

from django.utils import timezone

from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant


def work_off(account: Account, kind: str = "invitation.mail") -> list[str]:
    """Run the account's waiting jobs of this kind, also those whose time has not come. Returns their statuses."""
    with tenant(account):
        waiting = Job.objects.filter(kind=kind, status=Job.Status.QUEUED).order_by("created_at")
        waiting.update(next_attempt_at=timezone.now())
        jobs = list(waiting)
    return [run(account.id, job.id, makes_room=False) for job in jobs]
