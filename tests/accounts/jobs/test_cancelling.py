"""Stopping jobs that wait and jobs that run, and starting them again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.jobs import PermanentFailure, RunningJob
from apps.accounts.jobs.running import run
from apps.accounts.models import Job
from apps.accounts.services.jobs import JobFinished, JobNotFailed, cancel_job, lock_job, retry_job
from apps.accounts.tenancy.scope import tenant
from tests.accounts.jobs.conftest import SYSTEM, ago, change, put, read
from tests.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("X-06")]


def cancel(job: Job) -> None:
    assert job.account_id is not None
    with tenant(job.account_id):
        cancel_job(lock_job(job.pk), actor=SYSTEM)


def retry(job: Job) -> None:
    assert job.account_id is not None
    with tenant(job.account_id):
        retry_job(lock_job(job.pk), actor=SYSTEM)


def test_a_job_that_waits_never_starts(account: Any, declare: Any) -> None:
    runs: list[int] = []
    declare(lambda job: runs.append(job.attempt))
    job = put(account)
    cancel(job)
    assert run(account.id, job.id) == "not due"
    assert (read(job).status, runs) == ("cancelled", [])


def test_a_job_that_runs_stops_at_its_next_write(account: Any, declare: Any) -> None:
    steps: list[str] = []

    def work(job: RunningJob) -> None:
        with job.scope():
            job.progress(1)
        steps.append("first")
        cancel(row)
        with job.scope():
            job.progress(2)
        steps.append("second")

    declare(work)
    row = put(account)
    assert run(account.id, row.id) == "lease lost"
    ended = read(row)
    assert (steps, ended.status, ended.done) == (["first"], "cancelled", 1)


@pytest.mark.parametrize("ending", [None, RuntimeError("fault"), PermanentFailure("No.")])
def test_an_attempt_that_comes_to_its_end_after_the_cancelling_changes_nothing(
    account: Any, declare: Any, ending: Exception | None
) -> None:
    def work(job: RunningJob) -> dict[str, bool]:
        cancel(row)
        if ending:
            raise ending
        return {"late": True}

    declare(work)
    row = put(account)
    assert run(account.id, row.id) == "lease lost"
    assert (read(row).status, read(row).result, read(row).error) == ("cancelled", None, "")


def test_what_has_ended_can_not_be_cancelled(account: Any, declare: Any) -> None:
    job = put(account)
    run(account.id, job.id)
    with pytest.raises(JobFinished, match="done already"):
        cancel(job)


def test_a_job_is_cancelled_or_done_but_never_both(account: Any, declare: Any) -> None:
    for _ in range(5):
        job = put(account)

        def try_to_cancel(job: Job = job) -> str:
            try:
                cancel(job)
            except JobFinished:
                return "too late"
            return "cancelled"

        ran, stopped = at_once(lambda job=job: run(account.id, job.id), try_to_cancel)
        status = read(job).status
        assert (status == "done") == (ran == "done") == (stopped == "too late")
        assert (status == "cancelled") == (stopped == "cancelled")


def test_a_cancelled_or_failed_job_starts_again_with_all_its_attempts(account: Any, declare: Any, broker: Any) -> None:
    for status in ("cancelled", "failed"):
        job = put(account)
        change(job, status=status, attempts=8, error="Gone.", finished_at=ago(9), resend_at=ago(-300))
        broker.messages()
        retry(job)
        assert broker.messages() == [str(job.id)]
        now = read(job)
        assert (now.status, now.attempts, now.error, now.finished_at, now.resend_at) == ("queued", 0, "", None, None)
        assert run(account.id, job.id) == "done"


def test_it_does_not_start_beside_its_twin(account: Any, declare: Any) -> None:
    first = put(account, dedupe_key="week 12")
    cancel(first)
    put(account, dedupe_key="week 12")
    with pytest.raises(JobNotFailed, match="Another job"):
        retry(first)
    assert read(first).status == "cancelled"


def test_a_job_that_runs_is_not_started_again(account: Any, declare: Any) -> None:
    job = put(account)
    change(job, status="running", lease=uuid4(), heartbeat_at=ago(0))
    with pytest.raises(JobNotFailed, match="running"):
        retry(job)
