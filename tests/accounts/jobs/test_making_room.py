"""Work without end lets small work go first that somebody waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.accounts.jobs import RunningJob, enqueue, job_kind, registry, running
from apps.accounts.jobs.running import run
from apps.accounts.jobs.sweep import sweep
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import platform, tenant
from tests.accounts.jobs.conftest import SYSTEM, ago, change, put, read
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("X-06")]

SMALL = "parade.salute"


@pytest.fixture
def small() -> Iterator[None]:
    job_kind(SMALL, is_awaited=True)(lambda job: None)
    yield
    registry._kinds.pop(SMALL)


@pytest.fixture
def steps(declare: Callable[..., None], monkeypatch: pytest.MonkeyPatch, small: None) -> list[int]:
    """What bulk work of four steps has done; it looks for others after each."""
    done: list[int] = []

    def march(job: RunningJob) -> dict[str, int]:
        while len(done) < 4:
            done.append(len(done))
            job.make_room()
        return {"steps": len(done)}

    declare(march, is_bulk=True)
    monkeypatch.setattr(running, "MAKE_ROOM_SECONDS", 0.0)
    return done


def alone() -> Account:
    """Another account, which waits for nothing yet."""
    other = make_account()
    with tenant(other):
        Job.objects.all().delete()
    return other


def put_small(account: Account) -> Job:
    with tenant(account):
        return enqueue(SMALL, actor=SYSTEM)


def test_bulk_work_goes_behind_small_work_of_anybody_and_on_where_it_was(
    account: Account, steps: list[int], broker: Any
) -> None:
    bulk, other = put(account), alone()
    awaited = put_small(other)
    broker.messages()
    assert run(account.id, bulk.id) == "queued" and len(steps) == 1
    stored = read(bulk)
    assert (stored.attempts, stored.lease, stored.error) == (0, None, "")
    assert broker.messages() == [str(bulk.id)]
    assert run(other.id, awaited.id) == "done"
    change(bulk, next_attempt_at=ago(0))
    assert run(account.id, bulk.id) == "done"
    assert read(bulk).result == {"steps": 4} and steps == [0, 1, 2, 3]


def test_nobody_makes_room_for_what_is_not_due_or_may_not_run(account: Account, steps: list[int], broker: Any) -> None:
    later, asleep = put_small(account), alone()
    change(later, next_attempt_at=ago(-60))
    put_small(asleep)
    with platform("suspend"):
        Account.objects.filter(pk=asleep.pk).update(status=Account.Status.SUSPENDED)
    assert run(account.id, put(account).id) == "done"


def test_small_work_is_taken_before_bulk_work_that_was_there_first(
    account: Account, steps: list[int], broker: Any
) -> None:
    jobs = [put(account), put(account), put_small(account)]
    first, second, small = (str(job.id) for job in jobs)
    assert broker.messages() == [small, first, second]
    for job in jobs:
        change(job, next_attempt_at=ago(60))
    sweep()
    assert broker.messages()[0] == small


def test_it_is_asked_now_and_then_only(
    account: Account, declare: Callable[..., None], small: None, broker: Any
) -> None:
    def march(job: RunningJob) -> None:
        job.make_room()
        put_small(account)
        job.make_room()

    declare(march, is_bulk=True)
    assert run(account.id, put(account).id) == "done"


def test_no_room_is_made_for_what_nobody_takes(account: Account, steps: list[int], broker: Any) -> None:
    change(put_small(account), next_attempt_at=ago(60))
    assert run(account.id, put(account).id) == "done"
