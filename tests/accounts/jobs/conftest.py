"""Kinds of jobs that exist for one test, and what lies at the broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs import RunningJob, enqueue, job_kind, registry
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from config.celery import app as celery
from tests.factories import make_account

SYSTEM = Actor.system("Parade")
KIND = "parade.march"


@pytest.fixture
def account(broker: Broker) -> Account:
    """An account whose own first job is out of the way."""
    account = make_account()
    with tenant(account):
        Job.objects.all().delete()
    broker.messages()
    return account


@pytest.fixture
def declare() -> Iterator[Callable[..., None]]:
    """``declare(handler, max_attempts=…)`` makes it the handler of KIND."""

    def declare(handler: Callable[[RunningJob], Any], **options: Any) -> None:
        registry._kinds.pop(KIND, None)
        job_kind(KIND, **options)(handler)

    declare(lambda job: None)
    yield declare
    registry._kinds.pop(KIND, None)


class Broker:
    """The queue as the workers would find it. Nobody works while these tests run."""

    def messages(self) -> list[str]:
        """The ids of the jobs in line, each message once; they are taken away."""
        found = []
        with celery.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
            while True:
                try:
                    message = queue.get(block=False)
                except queue.Empty:
                    return found
                message.ack()
                arguments, _, _ = message.payload
                found.append(arguments[1])


@pytest.fixture
def broker() -> Broker:
    broker = Broker()
    broker.messages()
    return broker


def put(account: Account, **options: Any) -> Job:
    """A job of KIND in line."""
    with tenant(account):
        return enqueue(KIND, actor=SYSTEM, **options)


def read(job: Job) -> Job:
    """The job as it stands now."""
    assert job.account_id is not None
    with tenant(job.account_id):
        return Job.objects.get(pk=job.pk)


def change(job: Job, **fields: Any) -> None:
    """Set what time would have set."""
    assert job.account_id is not None
    with tenant(job.account_id):
        Job.objects.filter(pk=job.pk).update(**fields)


def ago(seconds: float) -> Any:
    """The time ``seconds`` before now."""
    return timezone.now() - timedelta(seconds=seconds)
