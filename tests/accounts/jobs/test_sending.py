"""Messages: sent with the commit, sent again when lost, never without end."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from apps.accounts.jobs import enqueue
from apps.accounts.jobs.running import run
from apps.accounts.jobs.sweep import sweep
from apps.accounts.models import Account, Job
from apps.accounts.services.jobs import hasten_job
from apps.accounts.tenancy.scope import platform, tenant
from tests.accounts.jobs.conftest import KIND, SYSTEM, ago, change, put, read
from tests.chaos.processes import run_python, wait_until, worker
from tests.factories import make_account
from tests.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("X-06")]


def put_elsewhere(account: Account, **surroundings: str) -> Job:
    """A job put in line by a process of its own, in which nothing but Django is set up."""
    code = (
        "from uuid import UUID; from apps.accounts.actors import Actor; from apps.accounts.jobs import enqueue; "
        "from apps.accounts.tenancy.scope import tenant\n"
        f"with tenant(UUID('{account.id}')): enqueue('audit.verify', actor=Actor.system('Parade'))"
    )
    assert run_python(code, **surroundings) == 0
    with tenant(account):
        return Job.objects.get()


class TestEnqueue:
    def test_the_message_follows_the_commit(self, account: Account, declare: Any, broker: Any) -> None:
        with tenant(account):
            job = enqueue(KIND, actor=SYSTEM)
            assert broker.messages() == []
        assert broker.messages() == [str(job.id)]

    def test_every_process_knows_the_broker(self, account: Account, broker: Any) -> None:
        job = put_elsewhere(account)
        assert broker.messages() == [str(job.id)]

    def test_what_is_rolled_back_leaves_neither_row_nor_message(
        self, account: Account, declare: Any, broker: Any
    ) -> None:
        with tenant(account):
            put(account)
            transaction.set_rollback(True)
        assert broker.messages() == []
        with tenant(account):
            assert not Job.objects.exists()

    def test_an_unknown_kind_is_refused(self, account: Account) -> None:
        with pytest.raises(LookupError), tenant(account):
            enqueue("parade.unknown", actor=SYSTEM)

    def test_a_broker_that_is_away_costs_only_time(self, account: Account, broker: Any) -> None:
        job = put_elsewhere(account, CELERY_BROKER_URL="redis://127.0.0.1:1/0")
        assert (job.status, broker.messages()) == ("queued", [])
        change(job, next_attempt_at=ago(6))
        assert sweep() == 1
        assert broker.messages() == [str(job.id)]
        sweep()
        with worker():
            change(job, resend_at=None)
            wait_until(lambda: read(job).status == "done", 60, meanwhile=sweep)
        assert read(job).result["whole"] is True

    def test_an_unfinished_job_with_the_same_key_is_the_answer(
        self, account: Account, declare: Any, broker: Any
    ) -> None:
        first, second = put(account, dedupe_key="week 12"), put(account, dedupe_key="week 12")
        assert first.id == second.id
        assert broker.messages() == [str(first.id)]
        assert put(account, dedupe_key="week 13").id != first.id
        assert run(account.id, first.id) == "done"
        assert put(account, dedupe_key="week 12").id != first.id

    def test_the_same_key_at_the_same_moment_is_one_job(self, account: Account, declare: Any, broker: Any) -> None:
        jobs = at_once(*[lambda: put(account, dedupe_key="week 12")] * 12)
        assert len({job.id for job in jobs}) == 1
        assert len(broker.messages()) == 1

    def test_another_accounts_key_is_its_own(self, account: Account, declare: Any) -> None:
        assert put(account, dedupe_key="week 12").id != put(make_account(), dedupe_key="week 12").id


class TestSweep:
    def test_a_lost_message_is_sent_again(self, account: Account, declare: Any, broker: Any) -> None:
        job = put(account)
        broker.messages()
        assert sweep() == 0
        change(job, next_attempt_at=ago(6))
        assert sweep() == 1
        assert broker.messages() == [str(job.id)]

    def test_a_lost_worker_is_replaced(self, account: Account, declare: Any, broker: Any) -> None:
        job = put(account)
        broker.messages()
        change(job, status="running", lease=uuid4(), attempts=1, heartbeat_at=ago(29))
        assert sweep() == 0
        change(job, heartbeat_at=ago(31))
        assert sweep() == 1
        assert broker.messages() == [str(job.id)]
        assert run(account.id, job.id) == "done"

    @pytest.mark.parametrize("status", ["queued", "running"])
    def test_it_waits_before_it_sends_once_more(self, account: Account, declare: Any, broker: Any, status: str) -> None:
        job = put(account)
        change(job, status=status, next_attempt_at=ago(40), heartbeat_at=ago(40))
        assert [sweep(), sweep(), sweep()] == [1, 0, 0]

    @pytest.mark.parametrize("status", ["queued", "running"])
    def test_an_hour_without_workers_makes_few_messages(
        self, account: Account, declare: Any, broker: Any, status: str, time_machine: Any
    ) -> None:
        job = put(account)
        broker.messages()
        change(job, status=status, next_attempt_at=ago(0), heartbeat_at=ago(30))
        time_machine.move_to(timezone.now(), tick=False)
        sent = 0
        for _ in range(720):
            time_machine.shift(5)
            sent += sweep()
        assert 8 <= sent <= 20
        assert len(broker.messages()) == sent

    def test_a_new_attempt_begins_its_own_count(self, account: Account, declare: Any, broker: Any) -> None:
        job = put(account)
        change(job, next_attempt_at=ago(3600), resend_at=ago(-300))
        assert sweep() == 0
        with tenant(account):
            hasten_job(job)
        assert read(job).resend_at is None
        change(job, next_attempt_at=ago(6))
        assert sweep() == 1

    def test_a_broker_that_refuses_costs_a_sweep_no_time_and_the_jobs_no_turn(
        self, account: Account, declare: Any, broker: Any
    ) -> None:
        jobs = [put(account) for _ in range(40)]
        broker.messages()
        for job in jobs:
            change(job, next_attempt_at=ago(600))
        code = "from apps.accounts.jobs.sweep import sweep; assert sweep() == 0"
        assert run_python(code, CELERY_BROKER_URL="redis://127.0.0.1:1/0") == 0
        assert sweep() == 40
        assert len(broker.messages()) == 40

    def test_two_sweeps_at_once_send_one_message(self, account: Account, declare: Any, broker: Any) -> None:
        job = put(account)
        broker.messages()
        change(job, next_attempt_at=ago(60))
        at_once(*[sweep] * 4)
        assert broker.messages() == [str(job.id)]

    def test_what_has_ended_is_left_alone(self, account: Account, declare: Any, broker: Any) -> None:
        for status in ("done", "failed", "cancelled"):
            change(put(account), status=status, next_attempt_at=ago(600), heartbeat_at=ago(600))
        assert sweep() == 0

    def test_jobs_beyond_the_limit_come_next(self, account: Account, declare: Any, broker: Any) -> None:
        jobs = [put(account) for _ in range(5)]
        broker.messages()
        for place, job in enumerate(jobs):
            change(job, next_attempt_at=ago(100 - place))
        assert [sweep(limit=3), sweep(limit=3)] == [3, 2]
        assert broker.messages() == [str(job.id) for job in jobs]


class TestHasten:
    def test_a_job_that_waits_is_tried_now(self, account: Account, declare: Any, broker: Any) -> None:
        job = put(account)
        broker.messages()
        change(job, next_attempt_at=ago(-1800), attempts=3)
        with tenant(account):
            hasten_job(job)
        assert broker.messages() == [str(job.id)]
        assert run(account.id, job.id) == "done"

    def test_one_that_runs_is_left_alone(self, account: Account, declare: Any, broker: Any) -> None:
        job = put(account)
        broker.messages()
        change(job, status="running", lease=uuid4(), heartbeat_at=ago(0))
        with tenant(account):
            hasten_job(job)
        assert broker.messages() == []


class TestAccounts:
    def test_jobs_of_a_suspended_account_wait_until_it_is_active(
        self, account: Account, declare: Any, broker: Any
    ) -> None:
        job = put(account)
        broker.messages()
        change(job, next_attempt_at=ago(60))
        with tenant(account):
            Account.objects.update(status="suspended")
        assert (sweep(), run(account.id, job.id)) == (0, "not due")
        assert read(job).attempts == 0
        with tenant(account):
            Account.objects.update(status="active")
        assert (sweep(), run(account.id, job.id)) == (1, "done")

    def test_a_job_that_went_with_its_account_is_nobodys(self, account: Account, declare: Any) -> None:
        def vanish(_: Any = None) -> None:
            with platform("take an account's job away in a test"):
                Job.objects.filter(account=account).delete()

        job = put(account)
        vanish()
        assert run(account.id, job.id) == "not due"
        assert run(uuid4(), job.id) == "not due"
        declare(vanish)
        assert run(account.id, put(account).id) == "lease lost"

    def test_another_account_can_not_run_it(self, account: Account, declare: Any) -> None:
        job = put(account)
        assert run(make_account().id, job.id) == "not due"
        assert read(job).status == "queued"
