"""Stopping jobs."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Job
from apps.accounts.permissions import allows, require


class JobFinished(RuntimeError):
    """There is nothing left to stop; ``str(error)`` says what became of it."""


def lock_job(job_id: UUID) -> Job:
    """The job, held until the transaction ends. Raises Job.DoesNotExist."""
    job: Job = Job.objects.select_for_update().get(pk=job_id)
    return job


def cancel_job(job: Job, *, actor: Actor) -> Job:
    """Stop a job that waits or runs; a running attempt notices at its next write, which fails (LeaseLost).

    ``job`` must be locked. Raises PermissionDenied, JobFinished.
    """
    own = actor.user_id is not None and job.created_by_id == actor.user_id
    if not (own and allows(actor, "jobs.cancel_own")):
        require(actor, "jobs.cancel")
    if job.is_finished:
        raise JobFinished(f"This job is {job.get_status_display().lower()} already.")
    before, job.status, job.lease, job.finished_at = job.status, Job.Status.CANCELLED, None, timezone.now()
    job.save(update_fields=["status", "lease", "finished_at", "updated_at"])
    changes = {"status": [before, job.status]}
    audit.record("job.cancelled", actor=actor, entity=job, label=job.kind, changes=changes)
    return job
