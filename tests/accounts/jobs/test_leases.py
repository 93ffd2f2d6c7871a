"""One job, one worker: claims, leases and what a worker that lost its lease may still do."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.jobs import LeaseLost, PermanentFailure, RunningJob
from apps.accounts.jobs.running import run
from apps.accounts.models import Job
from apps.accounts.tenancy.scope import tenant
from tests.accounts.jobs.conftest import ago, change, put, read
from tests.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("X-06")]


def take_over(job: Job) -> None:
    """What another worker's claim does to the row."""
    change(job, lease=uuid4(), heartbeat_at=timezone.now(), attempts=2)


def test_twenty_simultaneous_workers_run_a_job_once(account: Any, declare: Any) -> None:
    runs: list[int] = []
    lock = threading.Lock()

    def count(job: RunningJob) -> None:
        with lock:
            runs.append(job.attempt)

    declare(count)
    job = put(account)
    outcomes = at_once(*[partial(run, account.id, job.id)] * 20)
    assert runs == [1]
    assert sorted(outcomes) == ["done"] + ["not due"] * 19
    assert read(job).attempts == 1


def test_twenty_simultaneous_workers_take_over_from_a_dead_one_once(account: Any, declare: Any) -> None:
    runs: list[int] = []
    declare(lambda job: runs.append(job.attempt))
    job = put(account)
    change(job, status="running", lease=uuid4(), attempts=1, heartbeat_at=ago(3600))
    outcomes = at_once(*[partial(run, account.id, job.id)] * 20)
    assert runs == [2]
    assert outcomes.count("done") == 1


def test_a_job_with_a_heartbeat_is_left_to_its_worker(account: Any, declare: Any) -> None:
    job = put(account)
    change(job, status="running", lease=uuid4(), heartbeat_at=ago(1))
    assert run(account.id, job.id) == "not due"


def test_a_job_that_is_not_due_waits(account: Any, declare: Any) -> None:
    job = put(account)
    change(job, next_attempt_at=ago(-60))
    assert run(account.id, job.id) == "not due"
    assert read(job).attempts == 0


class TestAWorkerThatLostItsLease:
    def test_commits_nothing_in_its_scope(self, account: Any, declare: Any) -> None:
        def work(job: RunningJob) -> None:
            take_over(row)
            with job.scope():
                Job.objects.create(kind="parade.float", account_id=account.id)

        declare(work)
        row = put(account)
        assert run(account.id, row.id) == "lease lost"
        with tenant(account):
            assert not Job.objects.filter(kind="parade.float").exists()

    def test_can_neither_report_progress_nor_remember(self, account: Any, declare: Any) -> None:
        refused: list[str] = []

        def work(job: RunningJob) -> None:
            take_over(row)
            for name, write in (("progress", lambda: job.progress(5)), ("remember", lambda: job.remember(page=5))):
                with tenant(account):
                    try:
                        write()
                    except LeaseLost:
                        refused.append(name)
            raise LeaseLost

        declare(work)
        row = put(account)
        assert run(account.id, row.id) == "lease lost"
        assert refused == ["progress", "remember"]
        assert (read(row).done, read(row).payload) == (0, {})

    @pytest.mark.parametrize("ending", ["returns", "fails", "gives up"])
    def test_can_not_end_the_job(self, account: Any, declare: Any, ending: str) -> None:
        told: list[str] = []

        def work(job: RunningJob) -> dict[str, Any]:
            take_over(row)
            if ending == "fails":
                raise RuntimeError("too late")
            if ending == "gives up":
                raise PermanentFailure("too late")
            return {"late": True}

        declare(work, on_failure=lambda job, reason: told.append(reason))
        row = put(account)
        assert run(account.id, row.id) == "lease lost"
        now = read(row)
        assert (now.status, now.attempts, now.result, now.error) == ("running", 2, None, "")
        assert told == []
