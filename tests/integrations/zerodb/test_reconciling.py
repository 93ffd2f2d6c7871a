"""Projects at the service that no account uses are found afterwards: empty ones given back, others told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject, ZeroProject
from apps.integrations.tasks import purge_zerodb_projects, reconcile_projects
from apps.integrations.zerodb.client import account_client, project_client
from apps.integrations.zerodb.provisioning import provision as module
from apps.integrations.zerodb.provisioning.twins import mark_of
from apps.vault.models import AuditEntry
from config.celery import app as celery
from tests.factories import make_account
from tests.stand_ins.zerodb import StandIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-02")]
SYSTEM = Actor.system("test")


def ready_account() -> Account:
    account = make_account()
    assert run(account.id, provisioning_job(account).id) == "done"
    return account


def provisioning_job(account: Account) -> Job:
    with tenant(account):
        return Job.objects.get(kind="project.provision")


def used_by(account: Account) -> str:
    with tenant(account):
        return AINativeProject.objects.get().project_id


def make_twin(account: Account, **fields: Any) -> str:
    with account_client() as client:
        return client.create_project(name=f"{mark_of(account.id)} late", tier="pro", **fields).id


def trail(account: Account) -> list[str]:
    with tenant(account):
        return [action for action in AuditEntry.objects.values_list("action", flat=True) if "twin" in action]


def test_a_late_create_with_a_lost_answer_leaves_nothing_behind(elsewhere: StandIn, monkeypatch: Any) -> None:
    """A worker loses its lease before its create, which arrives after its successor has finished; then it is killed."""
    account = make_account()
    job = provisioning_job(account)
    ended: list[str] = []

    def sleep_through(name: str) -> None:
        if name == "provision.before_create" and not ended:
            ended.append("")
            with tenant(account):
                Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
            ended[0] = run(account.id, job.id)
            elsewhere.fail("lost_after", method="POST")

    monkeypatch.setattr(module, "crash_point", sleep_through)
    assert run(account.id, job.id) == "lease lost"
    assert ended == ["done"]
    assert len(elsewhere.alive) == 2
    assert reconcile_projects() == {"removed": 1}
    assert [remote["id"] for remote in elsewhere.alive] == [used_by(account)]
    assert trail(account) == ["project.twin_removed"]


def test_the_embedded_servers_twins_are_given_back_too() -> None:
    accounts = [ready_account(), ready_account()]
    twins = {make_twin(account) for account in accounts}
    assert reconcile_projects() == {"removed": 2}
    with platform("count projects in a test"):
        alive = set(ZeroProject.objects.exclude(status="DELETED").values_list("public_id", flat=True))
    assert alive == {used_by(account) for account in accounts} and not alive & twins
    assert reconcile_projects() == {}


def test_a_twin_that_holds_data_is_kept_and_told_once(elsewhere: StandIn) -> None:
    account = ready_account()
    twin = make_twin(account)
    elsewhere.projects[twin]["usage"] = {"vectors_stored": 3}
    assert [reconcile_projects(), reconcile_projects()] == [{"kept": 1}, {"kept": 1}]
    assert len(elsewhere.alive) == 2
    assert trail(account) == ["project.twin_found"]


def test_a_twin_of_which_the_service_does_not_say_what_it_holds_is_kept(elsewhere: StandIn) -> None:
    account = ready_account()
    elsewhere.projects[make_twin(account)]["usage"] = {}
    assert reconcile_projects() == {"kept": 1}


def test_what_a_job_may_still_store_is_left_to_it(elsewhere: StandIn) -> None:
    account = make_account()
    make_twin(account)
    assert reconcile_projects() == {"waiting": 1}
    assert len(elsewhere.alive) == 1
    with tenant(account):
        AINativeProject.objects.update(create_started_at=timezone.now())
    # Its key is known to nobody, so the first attempt gives it back.
    assert [run(account.id, provisioning_job(account).id) for _ in range(2)] == ["queued", "done"]
    assert [remote["id"] for remote in elsewhere.alive] == [used_by(account)]


def test_projects_of_others_stay(elsewhere: StandIn) -> None:
    """Of other installations with the same key, and of people."""
    ready_account()
    with account_client() as client:
        client.create_project(name=f"strongroom:{uuid4()} Elsewhere Ltd")
        client.create_project(name="strongroom:tomorrow")
        client.create_project(name="By hand")
    assert reconcile_projects() == {"unknown": 1}
    assert len(elsewhere.alive) == 4


def test_a_service_that_is_away_is_asked_another_time(elsewhere: StandIn) -> None:
    ready_account()
    elsewhere.fail("status", times=10, method="GET")
    assert reconcile_projects() == {}


def test_a_master_key_that_is_missing_is_no_fault(elsewhere: StandIn, settings: Any) -> None:
    settings.ZERODB_MASTER_API_KEY = ""
    assert reconcile_projects() == {}


@pytest.mark.covers("P-11")
def test_what_was_deleted_a_month_ago_is_emptied_and_the_rest_is_not() -> None:
    old, young = ready_account(), ready_account()
    for account, days in ((old, 31), (young, 29)):
        with tenant(account):
            project = AINativeProject.objects.get()
            with project_client(project.project_id, str(project.api_key)) as client:
                client.embed_and_store([{"id": "a1", "text": "a word"}], namespace="default")
        with account_client() as client:
            client.delete_project(project.project_id)
        with platform("let time pass in a test"):
            ZeroProject.objects.filter(public_id=project.project_id).update(
                deleted_at=timezone.now() - timedelta(days=days)
            )
    assert [purge_zerodb_projects(), purge_zerodb_projects()] == [1, 0]
    with platform("count projects in a test"):
        names = dict(ZeroProject.objects.values_list("public_id", "name"))
    assert names[used_by(old)] == "" and names[used_by(young)] != ""


def test_beat_does_both_every_hour() -> None:
    scheduled = {entry["task"]: entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    for name in ("integrations.reconcile_projects", "integrations.purge_zerodb_projects"):
        assert scheduled[name] == 3600.0
    celery.loader.import_default_modules()
    assert set(scheduled) <= set(celery.tasks)
