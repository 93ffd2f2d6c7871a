"""Running jobs whose workers die."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.jobs.registry import kind_of
from apps.accounts.jobs.running import run
from apps.accounts.models import Job
from apps.accounts.tenancy.scope import tenant
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_a_job_that_kills_each_of_its_workers_is_given_up() -> None:
    account = make_account()
    most = kind_of("audit.verify").max_attempts
    with tenant(account):
        long_ago = timezone.now() - timedelta(hours=1)
        job = Job.objects.create(kind="audit.verify", status="running", attempts=most, heartbeat_at=long_ago)
    assert run(account.id, job.id) == "failed"
    with tenant(account):
        ended = Job.objects.get(pk=job.pk)
    assert ended.status == "failed"
    assert f"after {most} attempts" in ended.error
    assert ended.finished_at is not None


def test_a_job_of_an_unknown_kind_does_not_run_for_ever() -> None:
    account = make_account()
    with tenant(account):
        job = Job.objects.create(kind="parade.float", next_attempt_at=timezone.now())
    for expected in ["queued"] * 7 + ["failed"]:
        with tenant(account):
            Job.objects.filter(pk=job.pk).update(next_attempt_at=timezone.now())
        assert run(account.id, job.id) == expected
    with tenant(account):
        assert "parade.float" in Job.objects.get(pk=job.pk).error
