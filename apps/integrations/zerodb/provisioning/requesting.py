"""Asking for an account's project."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.crash_points import crash_point
from apps.accounts.jobs import enqueue
from apps.accounts.models import Account, Job
from apps.accounts.permissions import require
from apps.accounts.services.jobs import hasten_job
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.provisioning.aligning import align

KIND = "project.provision"
STEPS = 3
"""Units of the job: create, store, configure."""


class AlreadyReady(Exception):
    """The account has its project."""


def plan_project(account: Account, actor: Actor, **_: Any) -> Job:
    """Give a new account its row and its job (receiver of ``account_created``: same transaction, same scope)."""
    AINativeProject.objects.create(account=account)
    align(account.id, actor)
    crash_point("provision.planned")
    return _enqueue(actor)


def project_of(account: Account) -> AINativeProject:
    """The account's row (in its scope); made when the account is older than provisioning."""
    project, _ = AINativeProject.objects.get_or_create(account=account)
    return project


def request_provisioning(*, account: Account, actor: Actor) -> Job:
    """Try (again) now. A job that is under way is returned instead of a second one, and waits no longer.

    Raises PermissionDenied, AlreadyReady.
    """
    require(actor, "project.provision")
    project = project_of(account)
    if project.is_ready:
        raise AlreadyReady(f"{account.name} has its project already.")
    if project.status == AINativeProject.Status.FAILED or project.is_elsewhere:
        project.status, project.error = AINativeProject.Status.PENDING, ""
        project.save(update_fields=["status", "error", "updated_at"])
    job = _enqueue(actor)
    if job.attempts:
        hasten_job(job)
    audit.record("project.provisioning_requested", actor=actor, entity=project, label=account.name)
    return job


def close_cancelled(job: Job, actor: Actor, **_: Any) -> None:
    """After its job was cancelled, by whichever door: nobody is setting the project up (receiver of job_cancelled)."""
    if job.kind == KIND:
        AINativeProject.objects.filter(
            status__in=[AINativeProject.Status.PENDING, AINativeProject.Status.PROVISIONING]
        ).update(
            status=AINativeProject.Status.FAILED,
            error="The job that was setting it up was cancelled. Start it again when you want it.",
            updated_at=timezone.now(),
        )


def _enqueue(actor: Actor) -> Job:
    return enqueue(KIND, actor=actor, dedupe_key="project", total=STEPS)
