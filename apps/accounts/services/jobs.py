"""Stopping jobs, and starting them again or sooner."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.jobs.enqueue import send
from apps.accounts.models import Job
from apps.accounts.permissions import allows, require
from apps.accounts.signals import job_cancelled


class JobNotFailed(RuntimeError):
    """There is nothing to start again; ``str(error)`` says why."""


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
    job_cancelled.send(sender=Job, job=job, actor=actor)
    return job


def retry_job(job: Job, *, actor: Actor) -> Job:
    """Put a failed or cancelled job in line again, with all its attempts and what it remembers of its work.

    ``job`` must be locked. Raises PermissionDenied, JobNotFailed (also when its twin is in line already).
    """
    require(actor, "jobs.retry")
    if job.status not in {Job.Status.FAILED, Job.Status.CANCELLED}:
        raise JobNotFailed(f"This job is {job.get_status_display().lower()}.")
    assert job.account_id is not None
    before, job.status, job.attempts, job.error = job.status, Job.Status.QUEUED, 0, ""
    job.next_attempt_at, job.resend_at, job.finished_at, job.lease = timezone.now(), None, None, None
    try:
        with transaction.atomic():
            job.save()
    except IntegrityError:
        raise JobNotFailed("Another job does the same work already.") from None
    audit.record("job.retried", actor=actor, entity=job, label=job.kind, changes={"status": [before, job.status]})
    transaction.on_commit(partial(send, job.account_id, job.id))
    return job


def hasten_job(job: Job) -> None:
    """Let a job that waits for its next attempt be tried now. One that runs or has ended stays as it is."""
    waiting = Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED)
    if waiting.update(next_attempt_at=timezone.now(), resend_at=None):
        assert job.account_id is not None
        transaction.on_commit(partial(send, job.account_id, job.id))
