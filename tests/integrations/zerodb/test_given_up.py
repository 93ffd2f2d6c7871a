"""A project that nobody sets up any more says so, in words, and can be started again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job
from apps.accounts.roles import Role
from apps.accounts.services.jobs import cancel_job, lock_job
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.provisioning import provision as module
from apps.integrations.zerodb.provisioning import request_provisioning
from apps.vault.models import AuditEntry
from tests.accounts.pages.conftest import signed_in
from tests.factories import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-02", "X-07")]
SYSTEM = Actor.system("test")


@pytest.fixture
def account(cast: Cast) -> Account:
    return cast.account


def job_of(account: Account) -> Job:
    with tenant(account):
        return Job.objects.latest("created_at")


def project_of(account: Account) -> AINativeProject:
    with tenant(account):
        return AINativeProject.objects.get()


def page(cast: Cast) -> str:
    return signed_in(cast.members[Role.ADMIN]).get(f"/app/{cast.account.slug}/ai/").content.decode()


def lose_all_workers(account: Account) -> Job:
    """The state in which forty workers have died, each in the middle of it."""
    job = job_of(account)
    with tenant(account):
        AINativeProject.objects.update(status="provisioning", create_started_at=timezone.now())
        hour_ago = timezone.now() - timedelta(hours=1)
        Job.objects.filter(pk=job.pk).update(
            status="running", attempts=module.MAX_ATTEMPTS, heartbeat_at=hour_ago, next_attempt_at=hour_ago
        )
    return job


def test_when_all_its_workers_were_lost(cast: Cast, account: Account) -> None:
    job = lose_all_workers(account)
    assert run(account.id, job.id) == "failed"
    project = project_of(account)
    assert project.status == "failed"
    assert "The worker was lost each time" in project.error and "Start it again" in project.error
    with tenant(account):
        assert AuditEntry.objects.filter(action="project.failed").count() == 1
    shown = page(cast)
    assert "could not be set up" in shown and "The worker was lost each time" in shown and "/ai/provision/" in shown
    with tenant(account):
        again = request_provisioning(account=account, actor=SYSTEM)
    assert run(account.id, again.id) == "done"
    assert project_of(account).status == "ready"


def test_when_a_fault_of_ours_used_all_its_attempts_up(account: Account, monkeypatch: Any) -> None:
    def stumble(name: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "crash_point", stumble)
    job = job_of(account)
    with tenant(account):
        Job.objects.filter(pk=job.pk).update(attempts=module.MAX_ATTEMPTS - 1)
    assert run(account.id, job.id) == "failed"
    project = project_of(account)
    assert (project.status, "ZeroDivisionError" in project.error) == ("failed", True)


@pytest.mark.parametrize("status", ["pending", "provisioning"])
def test_when_its_job_was_cancelled(cast: Cast, account: Account, status: str) -> None:
    job = job_of(account)
    with tenant(account):
        AINativeProject.objects.update(status=status)
        cancel_job(lock_job(job.pk), actor=SYSTEM)
    project = project_of(account)
    assert (project.status, "was cancelled" in project.error) == ("failed", True)
    assert "was cancelled" in page(cast)


def test_cancelling_something_else_leaves_it_alone(account: Account) -> None:
    with tenant(account):
        other = Job.objects.create(kind="audit.verify")
        cancel_job(lock_job(other.pk), actor=SYSTEM)
    assert project_of(account).status == "pending"


def test_asking_again_does_not_wait_for_the_next_attempt(account: Account) -> None:
    job = job_of(account)
    with tenant(account):
        later = timezone.now() + timedelta(minutes=30)
        Job.objects.filter(pk=job.pk).update(attempts=5, next_attempt_at=later, resend_at=later)
    assert run(account.id, job.id) == "not due"
    with tenant(account):
        assert request_provisioning(account=account, actor=SYSTEM).id == job.id
    assert run(account.id, job.id) == "done"
