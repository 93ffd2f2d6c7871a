"""Whoever is killed, wherever: the index holds exactly what it should, and each text was counted once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.jobs.running import run
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.indexing.reindexing import KIND, hurry, queue_indexing
from apps.chat.indexing.sweeping import sweep
from apps.chat.models import Conversation
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.integrations.models import AINativeProject, ZeroVector
from config.celery import app as celery
from tests.accounts.metering.conftest import OPERATOR
from tests.chaos import index_truth
from tests.chaos.indexers import POINTS
from tests.chaos.processes import ROOT, forget_crash, kill_group, surroundings, wait_until
from tests.chat.conftest import SYSTEM, Say, say
from tests.factories import make_account
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-12", "X-06")]

__all__ = ["say"]

ROUNDS = 1000 if os.environ.get("SCALE") == "full" else 300


@pytest.fixture
def account() -> Iterator[Account]:
    account = make_account()
    assert work_off(account, "project.provision") == ["done"]
    with tenant(account):
        set_limit(actor=OPERATOR, amount=Decimal(10**9), measure="quantity", unit="embeddings", period="total")
    yield account
    for point in POINTS:
        forget_crash(point)
    with celery.connection_for_write() as connection:
        connection.default_channel.queue_purge("celery")


def survive(account: Account, rounds: int, *points: str, seconds: int) -> dict[str, object]:
    """Rounds with kills; fails for the first that left anything wrong."""
    command = [sys.executable, "-m", "tests.chaos.indexers", str(account.id), str(rounds), "20261121", *points]
    done = subprocess.run(command, cwd=ROOT, env=surroundings(), capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    assert report["faults"] == [], done.stderr[-2000:]
    return report


@pytest.mark.timeout(900)
def test_an_indexer_killed_at_each_point_leaves_the_index_whole(account: Account) -> None:
    left = list(POINTS)
    for _ in range(8):  # a round may pass a point by, when people switch search off just then
        report = survive(account, len(left), *left, seconds=290)
        left = [point for point in left if point not in str(report["died_at"])]
        if not left:
            break
    assert not left, "nobody was killed there"


@pytest.mark.chaos
@pytest.mark.timeout(5400)
def test_nothing_is_lost_or_doubled_in_hundreds_of_rounds_of_kills(account: Account) -> None:
    report = survive(account, ROUNDS, seconds=5300)
    assert report["died_at"] == sorted(POINTS)
    assert int(str(report["killed"])) > ROUNDS // 2


INDEXER = """
from uuid import UUID
from apps.accounts.jobs.running import run
print(run(UUID("{account}"), UUID("{job}")), flush=True)
"""


@pytest.fixture
def paused(account: Account, say: Say) -> Iterator[Callable[[str], tuple[Conversation, subprocess.Popen[bytes]]]]:
    """A worker that stands still at a place, while it indexes a conversation, until its lease is over."""
    processes: list[subprocess.Popen[bytes]] = []

    def pause(at: str) -> tuple[Conversation, subprocess.Popen[bytes]]:
        conversation = say(account, "The boiler knocks at night.", "It began last week.")
        with tenant(account):
            hurry()
            job = queue_indexing(SYSTEM)
        code = "import django; django.setup()\n" + INDEXER.format(account=account.id, job=job.id)
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(
            command, cwd=ROOT, env=surroundings(STRONGROOM_PAUSE_AT=at), stdout=subprocess.PIPE, start_new_session=True
        )
        processes.append(process)
        wait_until(lambda: _stands_still(process), 60)
        with tenant(account):  # the time of a lease goes by
            Job.objects.filter(status=Job.Status.RUNNING).update(heartbeat_at="2026-01-01T00:00Z")
        return conversation, process

    yield pause
    for process in processes:
        kill_group(process)
    forget_crash("indexing.before_put")
    forget_crash("indexing.before_embed")


def _stands_still(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "it ended before it got there"
    return Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def _succeed(account: Account) -> None:
    """What another worker does meanwhile: it takes the job over and removes what has to go."""
    with tenant(account):
        (job,) = Job.objects.filter(kind=KIND, status=Job.Status.RUNNING)
    assert run(account.id, job.id) == "done"


def _vectors(account: Account) -> int:
    with tenant(account):
        project = AINativeProject.objects.get().project_id
    with platform("count the vectors"):
        return ZeroVector.objects.filter(project__public_id=project).count()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("place", ["indexing.before_put", "indexing.before_embed"])
def test_a_worker_that_stood_still_past_its_lease_leaves_no_vector_of_what_was_deleted(
    account: Account, paused: Callable[[str], tuple[Conversation, subprocess.Popen[bytes]]], place: str
) -> None:
    conversation, sleeper = paused(place)
    with tenant(account):
        delete_conversation(lock_conversation(conversation.pk), actor=SYSTEM)
    _succeed(account)
    assert _vectors(account) == 0
    os.killpg(sleeper.pid, signal.SIGCONT)
    said, _ = sleeper.communicate(timeout=60)
    assert said.decode().strip() == "lease lost"
    assert _vectors(account) == 0
    sweep()
    work_off(account, KIND)
    assert index_truth.faults(account.id) == [] and not index_truth.has_work(account.id)


@pytest.mark.timeout(240)
def test_it_may_even_be_killed_once_it_has_noted_what_it_sent_late(
    account: Account, paused: Callable[[str], tuple[Conversation, subprocess.Popen[bytes]]], monkeypatch: Any
) -> None:
    monkeypatch.setenv("STRONGROOM_CRASH_AT", "indexing.noted_late")
    conversation, sleeper = paused("indexing.before_put")
    monkeypatch.delenv("STRONGROOM_CRASH_AT")
    with tenant(account):
        delete_conversation(lock_conversation(conversation.pk), actor=SYSTEM)
    _succeed(account)
    os.killpg(sleeper.pid, signal.SIGCONT)
    sleeper.communicate(timeout=60)
    assert sleeper.returncode == -signal.SIGKILL and _vectors(account) == 2
    forget_crash("indexing.noted_late")
    assert sweep() == 1 and work_off(account, KIND) == ["done"]
    assert _vectors(account) == 0 and index_truth.faults(account.id) == []


@pytest.mark.timeout(240)
def test_what_it_sends_late_of_messages_that_are_there_does_no_harm(
    account: Account, paused: Callable[[str], tuple[Conversation, subprocess.Popen[bytes]]]
) -> None:
    _, sleeper = paused("indexing.before_put")
    _succeed(account)
    os.killpg(sleeper.pid, signal.SIGCONT)
    sleeper.communicate(timeout=60)
    assert _vectors(account) == 2 and index_truth.faults(account.id) == []
