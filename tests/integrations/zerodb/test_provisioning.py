"""Each account gets one project at the embedded service, through the client and the server as they run."""

from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs import PermanentFailure
from apps.accounts.jobs.running import run
from apps.accounts.models import Job, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject, ZeroProject
from apps.integrations.zerodb.client import account_client, project_client
from apps.integrations.zerodb.provisioning import AlreadyReady, request_provisioning
from apps.integrations.zerodb.provisioning.provision import mark_of
from apps.vault.models import AuditEntry
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True)]


def first_job(account) -> Job:
    with tenant(account):
        return Job.objects.get(kind="project.provision")


def row(account) -> AINativeProject:
    with tenant(account):
        return AINativeProject.objects.get()


def remote_projects() -> list[ZeroProject]:
    with platform("count projects in a test"):
        return list(ZeroProject.objects.exclude(status="DELETED"))


@pytest.mark.covers("P-01", "P-02", "P-03")
def test_a_new_account_ends_with_one_configured_project() -> None:
    account = make_account("Harbour & Pine")
    assert row(account).status == "pending"
    assert run(account.id, first_job(account).id) == "done"
    project = row(account)
    assert project.status == "ready"
    (remote,) = remote_projects()
    assert remote.public_id == project.project_id
    assert remote.name.startswith(mark_of(account.id))
    assert remote.settings["features"]["semantic_search"] is True
    with tenant(account):
        key = AINativeProject.objects.get().api_key
        assert "project.provisioned" in AuditEntry.objects.values_list("action", flat=True)
    assert project.masked_key == f"••••••••{key[-8:]}"
    with project_client(project.project_id, key) as client:
        assert client.get().id == project.project_id


def test_running_it_twice_makes_nothing_new() -> None:
    account = make_account()
    job = first_job(account)
    assert run(account.id, job.id) == "done"
    assert run(account.id, job.id) == "not due"
    with tenant(account):
        owner = Membership.objects.select_related("user").get(role=Role.OWNER)
        with pytest.raises(AlreadyReady):
            request_provisioning(account=account, actor=Actor.member(owner))
    assert len(remote_projects()) == 1


def test_a_create_whose_answer_was_lost_is_found_by_its_mark(monkeypatch) -> None:
    """The project is made at the service, and the worker dies before it hears so."""
    account = make_account()
    job = first_job(account)

    def die(name: str) -> None:
        if name == "provision.after_create":
            raise KeyboardInterrupt  # as a kill: no handler of ours sees it

    monkeypatch.setattr("apps.integrations.zerodb.provisioning.provision.crash_point", die)
    with pytest.raises(KeyboardInterrupt):
        run(account.id, job.id)
    monkeypatch.undo()
    assert len(remote_projects()) == 1
    with tenant(account):
        Job.objects.filter(pk=job.id).update(status="queued", lease=None)
    assert run(account.id, job.id) == "done"
    (remote,) = remote_projects()
    assert row(account).project_id == remote.public_id
    with tenant(account):
        project = AINativeProject.objects.get()
        with project_client(project.project_id, project.api_key) as client:
            assert client.get().id == project.project_id


@pytest.mark.covers("P-03")
def test_without_a_master_key_it_stops_and_says_what_to_do(settings) -> None:
    settings.ZERODB_API_URL, settings.ZERODB_MASTER_API_KEY = "http://127.0.0.1:9/v1/public", ""
    account = make_account()
    assert run(account.id, first_job(account).id) == "failed"
    assert "ZERODB_MASTER_API_KEY" in row(account).error
    assert row(account).status == "failed"


def test_calling_the_embedded_server_leaves_the_callers_transaction_alone() -> None:
    account = make_account()
    assert run(account.id, first_job(account).id) == "done"
    with tenant(account):
        project = AINativeProject.objects.get()
        with project_client(project.project_id, project.api_key) as client:
            assert client.vector_statistics().count == 0
        AINativeProject.objects.update(error="written after the call")
    assert row(account).error == "written after the call"


@pytest.mark.covers("P-02")
def test_a_worker_that_wakes_up_does_not_take_away_what_its_successor_adopts(monkeypatch) -> None:
    """The first worker sleeps after its create; the second has found that project and is about to store it."""
    account = make_account()
    job = first_job(account)
    asleep = True

    def wake_late(name: str) -> None:
        nonlocal asleep
        if name == "provision.after_create" and asleep:
            asleep = False
            with tenant(account):  # the second worker's claim
                Job.objects.filter(pk=job.id).update(lease=uuid4(), heartbeat_at=timezone.now())

    monkeypatch.setattr("apps.integrations.zerodb.provisioning.provision.crash_point", wake_late)
    assert run(account.id, job.id) == "lease lost"
    assert len(remote_projects()) == 1


@pytest.mark.covers("P-02")
def test_a_create_that_arrives_after_the_successors_look_leaves_no_twin(monkeypatch) -> None:
    """The first worker's create arrives between the second's look for projects and its own create."""
    account = make_account()
    job = first_job(account)
    with tenant(account):
        AINativeProject.objects.update(create_started_at=timezone.now())

    def create_late(name: str) -> None:
        if name == "provision.before_create":
            with account_client() as client:
                client.create_project(
                    name=f"{mark_of(account.id)} late", description="", tier="free", settings={}, metadata={}
                )

    monkeypatch.setattr("apps.integrations.zerodb.provisioning.provision.crash_point", create_late)
    assert run(account.id, job.id) == "done"
    (remote,) = remote_projects()
    assert row(account).project_id == remote.public_id


def test_a_late_failure_does_not_undo_what_was_entered_by_hand(settings, monkeypatch) -> None:
    account, other = make_account(), make_account()
    assert run(other.id, first_job(other).id) == "done"
    job = first_job(account)

    def enter(name: str) -> None:
        if name == "provision.before_create":
            with tenant(account):
                project = AINativeProject.objects.get()
                project.take_credentials("by-hand", "sk_entered_by_hand")
                project.status, project.entered_by_hand = "ready", True
                project.save()
            raise PermanentFailure("refused")

    monkeypatch.setattr("apps.integrations.zerodb.provisioning.provision.crash_point", enter)
    assert run(account.id, job.id) == "failed"
    assert row(account).status == "ready"
    assert row(account).error == ""
