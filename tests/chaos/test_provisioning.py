"""Whatever is killed, wherever: after the restart an account has exactly one project, none orphaned, none lost."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from apps.accounts.jobs.sweep import sweep
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject, ZeroProject
from apps.integrations.zerodb.client import project_client
from config.celery import app as celery
from tests.chaos.processes import LEASE_SECONDS, crashed, forget_crash, kill_group, run_python, wait_until, worker
from tests.factories import make_account

pytestmark = [pytest.mark.covers("P-02", "X-06"), pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

POINTS = ["provision.before_create", "provision.after_create", "provision.after_store", "provision.after_configure"]
OPEN_ACCOUNT = (
    "from tests.factories import make_account, make_user; from apps.accounts.models import User; "
    "make_account('Opened in another process', make_user('opener@people.example'))"
)


@pytest.fixture(autouse=True)
def clean_start(settings):
    settings.JOB_LEASE_SECONDS = LEASE_SECONDS
    for name in [*POINTS, "provision.planned", "jobs.before_send"]:
        forget_crash(name)
    with celery.connection_for_write() as connection:
        connection.default_channel.queue_purge("celery")
    yield
    for name in [*POINTS, "provision.planned", "jobs.before_send"]:
        forget_crash(name)


def row(account: Account) -> AINativeProject:
    with tenant(account):
        return AINativeProject.objects.get()


def is_ready(account: Account) -> bool:
    return row(account).status == "ready"


def alive_at_server() -> list[ZeroProject]:
    with platform("count projects after a crash"):
        return list(ZeroProject.objects.filter(implicit=False).exclude(status="DELETED"))


def assert_exactly_one(account: Account) -> None:
    with tenant(account):
        project = AINativeProject.objects.get()
        key = str(project.api_key)
    assert [found.public_id for found in alive_at_server()] == [project.project_id]
    with project_client(project.project_id, key) as client:
        assert client.get().id == project.project_id
    with tenant(account):
        assert Job.objects.filter(kind="project.provision").exclude(status="done").count() == 0


def finish(account: Account) -> None:
    """A worker as after a restart, and the sweep that beat runs."""
    with worker():
        wait_until(lambda: is_ready(account), 90, meanwhile=sweep)
        wait_until(lambda: _job_done(account), 30, meanwhile=sweep)


def _job_done(account: Account) -> bool:
    with tenant(account):
        return not Job.objects.exclude(status="done").exists()


def die_at(point: str, account: Account) -> None:
    """A worker that is killed with all its processes when it gets to ``point``."""
    with worker(STRONGROOM_CRASH_AT=point) as process:
        wait_until(lambda: crashed(point), 60, meanwhile=sweep)
        kill_group(process)
    assert not is_ready(account)


def test_a_worker_killed_after_the_create_leaves_one_project():
    account = make_account()
    die_at("provision.after_create", account)
    assert len(alive_at_server()) == 1 and row(account).project_id == ""
    finish(account)
    assert_exactly_one(account)


@pytest.mark.chaos
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_anywhere_leaves_one_project(point):
    account = make_account()
    die_at(point, account)
    finish(account)
    assert_exactly_one(account)


@pytest.mark.chaos
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_loses_one_process_goes_on_by_itself(point):
    account = make_account()
    with worker(STRONGROOM_CRASH_AT=point):
        wait_until(lambda: crashed(point), 60, meanwhile=sweep)
        wait_until(lambda: is_ready(account) and _job_done(account), 90, meanwhile=sweep)
    assert_exactly_one(account)


@pytest.mark.chaos
def test_a_worker_killed_at_every_point_in_turn_leaves_one_project():
    account = make_account()
    for point in POINTS:
        die_at(point, account)
    finish(account)
    assert_exactly_one(account)


def accounts() -> list[Account]:
    with platform("look for accounts after a crash"):
        return list(Account.objects.all())


@pytest.mark.chaos
def test_a_web_process_killed_before_the_commit_leaves_nothing():
    assert run_python(OPEN_ACCOUNT, STRONGROOM_CRASH_AT="provision.planned") == -9
    assert accounts() == []
    with platform("look for leftovers"):
        assert not AINativeProject.objects.exists() and not Job.objects.exists()


@pytest.mark.chaos
def test_a_web_process_killed_before_it_told_the_broker_loses_nothing():
    assert run_python(OPEN_ACCOUNT, STRONGROOM_CRASH_AT="jobs.before_send") == -9
    (account,) = accounts()
    assert row(account).status == "pending"
    finish(account)
    assert_exactly_one(account)


@pytest.mark.chaos
def test_a_broker_that_is_away_loses_nothing():
    assert run_python(OPEN_ACCOUNT, CELERY_BROKER_URL="redis://127.0.0.1:1/0") == 0
    (account,) = accounts()
    finish(account)
    assert_exactly_one(account)


@pytest.mark.chaos
def test_a_broker_that_forgets_everything_loses_nothing():
    account = make_account()
    with celery.connection_for_write() as connection:
        assert connection.default_channel.queue_purge("celery") >= 1
    finish(account)
    assert_exactly_one(account)


@pytest.mark.chaos
def test_production_knows_no_crash_points():
    code = "from apps.accounts.crash_points import crash_point; crash_point('provision.planned'); print('alive')"
    off = f"from django.conf import settings; settings.CRASH_POINTS = False; {code}"
    assert run_python(off, STRONGROOM_CRASH_AT="provision.planned") == 0
    assert django_settings.CRASH_POINTS is True
