"""Running jobs whose workers die."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from apps.accounts.jobs import running
from apps.accounts.jobs.registry import JobKind, kind_of
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


def test_one_hiccup_of_the_database_does_not_end_the_heartbeat(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOB_LEASE_SECONDS = 0.3
    account = make_account()
    with tenant(account):
        job = Job.objects.create(kind="parade.march", next_attempt_at=timezone.now())
    missed = threading.Event()

    def sometimes(owner: Any) -> Any:
        if threading.current_thread().name.startswith("heartbeat") and not missed.is_set():
            missed.set()
            raise OperationalError("the database went away")
        return tenant(owner)

    def march(attempt: running.RunningJob) -> None:
        assert missed.wait(60)
        before = timezone.now()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with tenant(account):
                if Job.objects.get(pk=job.pk).heartbeat_at > before:
                    return
            time.sleep(0.05)
        raise AssertionError("no heartbeat after the one that was missed")

    monkeypatch.setattr(running, "tenant", sometimes)
    monkeypatch.setattr(running, "kind_of", lambda name: JobKind(name, march))
    assert run(account.id, job.id) == "done"
