"""Processes on both sides are killed, by a true clock: afterwards there is each vector once, and one project."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.accounts.jobs.sweep import sweep as sweep_jobs
from apps.accounts.models import Account
from apps.chat.indexing.sweeping import sweep as sweep_index
from config.celery import app as celery
from tests.chaos.processes import LEASE_SECONDS, crashed, forget_crash, kill_group, wait_until, worker
from tests.chat.conftest import Say
from tests.chat.remote.conftest import messages_here, project_of, projects_there, vectors_there
from tests.factories import make_account
from tests.second_installation import SecondInstallation
from tests.stand_ins.faulty_proxy import FaultyProxy

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.covers("P-02", "P-10", "X-06"),
]
POINTS = ["provision.after_create", "indexing.before_embed", "indexing.after_send"]


@pytest.fixture(autouse=True)
def clean_start(settings) -> Iterator[None]:
    settings.JOB_LEASE_SECONDS = LEASE_SECONDS
    for name in POINTS:
        forget_crash(name)
    with celery.connection_for_write() as connection:
        connection.default_channel.queue_purge("celery")
    yield
    for name in POINTS:
        forget_crash(name)


def beat() -> None:
    sweep_jobs()
    sweep_index()


def test_killed_on_both_sides_it_ends_with_one_project_and_each_vector_once(
    say: Say, second: SecondInstallation, proxy: FaultyProxy
) -> None:
    account = make_account("Harbour & Pine")
    way = {"ZERODB_API_URL": proxy.url, "ZERODB_MASTER_API_KEY": second.master_key}
    say(account, *(f"My parcel number {number} has not arrived." for number in range(40)))
    for point in POINTS:
        with worker(STRONGROOM_CRASH_AT=point, **way) as process:
            wait_until(lambda name=point: crashed(name), 120, meanwhile=beat)
            kill_group(process)
    second.kill()
    with worker(**way):
        say(account, "Is anybody there?", "Hello?")
        wait_until(lambda: len(proxy.calls()) and proxy.calls()[-1].status == 0, 60, meanwhile=beat)
        second.start()
        wait_until(lambda: is_in_step(second, account), 180, meanwhile=beat)
    assert projects_there(second, account) == [project_of(account).project_id]


def is_in_step(second: SecondInstallation, account: Account) -> bool:
    return vectors_there(second, account) == messages_here(account)
