"""Whoever is killed, wherever: the index holds exactly what it should, and each text was counted once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest

from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from config.celery import app as celery
from tests.accounts.metering.conftest import OPERATOR
from tests.chaos.indexers import POINTS
from tests.chaos.processes import ROOT, forget_crash, surroundings
from tests.factories import make_account
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-12", "X-06")]

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
