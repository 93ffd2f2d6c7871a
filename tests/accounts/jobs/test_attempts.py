"""What becomes of a job whose attempt fails, and what it shows meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.jobs import PermanentFailure, Retry, RunningJob
from apps.accounts.jobs.registry import JobKind
from apps.accounts.jobs.running import run
from apps.accounts.models import Job
from apps.accounts.tenancy.scope import tenant
from tests.accounts.jobs.conftest import ago, change, put, read

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("X-06")]


def fail_with(error: Exception) -> Any:
    def work(job: RunningJob) -> None:
        raise error

    return work


def wait(job: Job) -> float:
    """Seconds from now to the next attempt."""
    return float((read(job).next_attempt_at - timezone.now()).total_seconds())


def test_pauses_double_with_jitter_up_to_the_longest() -> None:
    kind = JobKind("parade.march", fail_with(RuntimeError()), base_delay=2, max_delay=60)
    steps = [max(kind.delay_before(attempt) for _ in range(300)) for attempt in range(1, 9)]
    least = [min(kind.delay_before(attempt) for _ in range(300)) for attempt in range(1, 9)]
    for step, expected in zip(steps, [2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert 0.85 * expected < step <= expected
    assert all(low >= 0.2 * high - 1e-9 for low, high in zip(least, [2, 4, 8, 16, 32, 60, 60, 60], strict=True))
    assert all(later > sooner for sooner, later in pairwise(steps[:6]))


def test_a_fault_is_tried_again_later_and_says_so_without_its_text(account: Any, declare: Any) -> None:
    declare(fail_with(RuntimeError("password=hunter2")), base_delay=100)
    job = put(account)
    assert run(account.id, job.id) == "queued"
    now = read(job)
    assert now.error == "Unexpected fault: RuntimeError."
    assert (now.lease, now.finished_at, now.attempts) == (None, None, 1)
    assert 15 < wait(job) <= 100
    assert run(account.id, job.id) == "not due"


def test_a_reason_to_wait_is_told_in_its_own_words_and_time(account: Any, declare: Any) -> None:
    declare(fail_with(Retry("The service asks for an hour.", after=3600)))
    job = put(account)
    assert run(account.id, job.id) == "queued"
    assert read(job).error == "The service asks for an hour."
    assert 3590 < wait(job) <= 3600


def test_the_next_attempt_knows_what_the_last_one_remembered(account: Any, declare: Any) -> None:
    seen: list[Any] = []

    def work(job: RunningJob) -> None:
        seen.append((job.attempt, job.payload.get("page")))
        if job.attempt == 1:
            with job.scope():
                job.remember(page=7)
            raise Retry("later", after=0)

    declare(work)
    job = put(account, payload={"page": 1})
    assert [run(account.id, job.id), run(account.id, job.id)] == ["queued", "done"]
    assert seen == [(1, 1), (2, 7)]


def test_attempts_run_out(account: Any, declare: Any) -> None:
    told: list[str] = []
    declare(fail_with(Retry("Busy.", after=0)), max_attempts=3, on_failure=lambda job, reason: told.append(reason))
    job = put(account)
    assert [run(account.id, job.id) for _ in range(4)] == ["queued", "queued", "failed", "not due"]
    assert read(job).error == "Busy. Given up after 3 attempts."
    assert told == ["Busy. Given up after 3 attempts."]


def test_a_permanent_failure_ends_it_at_once(account: Any, declare: Any, broker: Any) -> None:
    told: list[str] = []
    declare(
        fail_with(PermanentFailure("The file is gone. Upload it again.")), on_failure=lambda job, why: told.append(why)
    )
    job = put(account)
    broker.messages()
    assert run(account.id, job.id) == "failed"
    now = read(job)
    assert (now.attempts, now.error) == (1, "The file is gone. Upload it again.")
    assert now.finished_at is not None
    assert told == ["The file is gone. Upload it again."]
    assert broker.messages() == []


def test_a_subject_that_can_not_be_told_does_not_keep_the_job_alive(account: Any, declare: Any) -> None:
    def stumble(job: RunningJob, reason: str) -> None:
        Job.objects.create(kind="parade.float", account_id=account.id)
        raise RuntimeError("no such subject")

    declare(fail_with(PermanentFailure("No.")), on_failure=stumble)
    job = put(account)
    assert run(account.id, job.id) == "failed"
    assert read(job).status == "failed"
    with tenant(account):
        assert not Job.objects.filter(kind="parade.float").exists()


def test_workers_that_were_all_lost_are_told_to_the_subject_too(account: Any, declare: Any) -> None:
    told: list[str] = []
    declare(lambda job: None, max_attempts=2, on_failure=lambda job, reason: told.append(reason))
    job = put(account)
    change(job, status="running", attempts=2, heartbeat_at=ago(3600))
    assert run(account.id, job.id) == "failed"
    assert told == ["The worker was lost each time. Given up after 2 attempts."]


def test_progress_is_seen_while_it_runs_and_belongs_to_the_work(account: Any, declare: Any) -> None:
    seen: list[Any] = []

    def work(job: RunningJob) -> dict[str, int]:
        with job.scope():
            job.progress(3, 10)
        shown = read(row)
        seen.append((shown.status, shown.done, shown.total))
        try:
            with job.scope():
                job.progress(6)
                raise ValueError
        except ValueError:
            seen.append(read(row).done)
        with job.scope():
            job.progress(10)
        return {"marched": 10}

    declare(work)
    row = put(account, total=12)
    assert run(account.id, row.id) == "done"
    assert seen == [("running", 3, 10), 3]
    ended = read(row)
    assert (ended.done, ended.total, ended.result, ended.error) == (10, 10, {"marched": 10}, "")
    assert ended.started_at <= ended.finished_at
