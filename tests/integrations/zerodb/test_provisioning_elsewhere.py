"""Provisioning at a server that is not ours: lost answers, outages, limits, and routes it does not have."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.actors import Actor
from apps.accounts.jobs import running
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from apps.integrations.outbound import breaker
from apps.integrations.zerodb.client import account_client
from apps.integrations.zerodb.provisioning import enter_by_hand, request_provisioning
from apps.integrations.zerodb.provisioning import provision as module
from apps.integrations.zerodb.provisioning.provision import mark_of
from apps.vault.models import AuditEntry
from tests.factories import make_account
from tests.stand_ins import zerodb

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-02", "P-03", "P-10")]
SYSTEM = Actor.system("test")


@pytest.fixture
def account(elsewhere) -> Account:
    return make_account("Northwind Traders")


def row(account: Account) -> AINativeProject:
    with tenant(account):
        return AINativeProject.objects.get()


def job_of(account: Account) -> Job:
    with tenant(account):
        return Job.objects.filter(kind="project.provision").latest("created_at")


def work(account: Account, *, times: int = 1) -> str:
    """Run the account's provisioning as a worker does, without waiting for its time. Returns the job's status."""
    status = ""
    for _ in range(times):
        breaker.close_all()  # as if the time had passed that a failing host is left alone
        job = job_of(account)
        with tenant(account):
            Job.objects.filter(pk=job.pk, status="queued").update(next_attempt_at=None)
        status = running.run(account.id, job.id)
    return status


def until_done(account: Account, attempts: int = 4) -> None:
    for _ in range(attempts):
        if work(account) == "done":
            return
    raise AssertionError(f"not done after {attempts} attempts: {row(account).error}")


def assert_exactly_one(account: Account, elsewhere: zerodb.StandIn) -> None:
    (remote,) = elsewhere.alive
    project = row(account)
    assert project.status == "ready" and project.error == ""
    assert (project.project_id, project.api_key) == (remote["id"], remote["api_key"])


def test_it_is_created_with_the_accounts_mark_and_configured(account, elsewhere):
    assert work(account) == "done"
    assert_exactly_one(account, elsewhere)
    (remote,) = elsewhere.alive
    assert mark_of(account.id) in remote["name"] and remote["metadata"]["strongroom_account_id"] == str(account.id)
    assert remote["tier"] == "pro" and remote["settings"]["vector_dimensions"] == 384
    assert elsewhere.requests == [("POST", "projects"), ("PATCH", f"projects/{remote['id']}/settings")]


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "garbage", "half", "status"])
def test_a_create_without_an_answer_ends_in_one_project(account, elsewhere, fault):
    elsewhere.fail(fault, method="POST")
    assert work(account) == "queued"
    assert row(account).error and row(account).status == "pending"
    until_done(account)
    assert_exactly_one(account, elsewhere)


def test_an_outage_is_waited_for(account, elsewhere):
    elsewhere.fail("status", 7)  # the create, then two attempts that look for it three times
    assert work(account, times=3) == "queued"
    assert elsewhere.projects == {}
    until_done(account)
    assert_exactly_one(account, elsewhere)


def test_the_servers_wish_to_wait_is_obeyed(account, elsewhere):
    elsewhere.fail("status", status=429, headers={"Retry-After": "300"}, body={"detail": "slow down"})
    assert work(account) == "queued"
    job = job_of(account)
    assert 280 <= (job.next_attempt_at - job.started_at).total_seconds() <= 320


def test_a_key_lost_with_the_answer_never_costs_data(account, elsewhere):
    elsewhere.fail("lost_after", method="POST")
    work(account)
    (remote,) = elsewhere.alive
    remote["usage"] = {"vectors_stored": 12}
    assert work(account) == "failed"
    assert remote["id"] in row(account).error and "by hand" in row(account).error
    assert elsewhere.alive == [remote]


def test_surplus_projects_of_the_account_are_given_back(account, elsewhere):
    elsewhere.fail("lost_after", method="POST")
    work(account)
    twin = dict(elsewhere.alive[0], id="twin", api_key="k" * 20)
    foreign = dict(elsewhere.alive[0], id="foreign", name="Somebody else's", metadata={})
    elsewhere.projects |= {"twin": twin, "foreign": foreign}
    until_done(account)
    assert {remote["id"] for remote in elsewhere.alive} == {row(account).project_id, "foreign"}


def test_a_server_without_the_settings_route_is_good_enough(account, elsewhere):
    elsewhere.fail("status", status=404, method="PATCH", body={"detail": "x", "error_code": "PATH_NOT_FOUND"})
    assert work(account) == "done"
    assert_exactly_one(account, elsewhere)


def test_a_project_that_vanished_before_it_was_configured_is_made_anew(account, elsewhere):
    elsewhere.fail("status", status=404, method="PATCH", body={"detail": "x", "error_code": "PROJECT_NOT_FOUND"})
    elsewhere.fail("status", status=404, method="GET", body={"detail": "x", "error_code": "PROJECT_NOT_FOUND"})
    assert work(account) == "queued"
    assert not row(account).is_configured
    until_done(account)
    assert_exactly_one(account, elsewhere)


class TestPermanentRefusals:
    def test_a_refused_key_stops_at_once_and_says_what_to_do(self, account, elsewhere, settings):
        settings.ZERODB_MASTER_API_KEY = "zerodb_sk_wrong_master_key"
        assert work(account) == "failed"
        project, job = row(account), job_of(account)
        assert project.status == "failed" and "ZERODB_MASTER_API_KEY" in project.error
        assert settings.ZERODB_MASTER_API_KEY not in project.error
        assert job.attempts == 1 and len(elsewhere.requests) == 1

    def test_a_reached_limit_stops_at_once_and_says_what_to_do(self, account, elsewhere):
        elsewhere.limit = 0
        assert work(account) == "failed"
        assert "no more projects" in row(account).error and "raises the plan" in row(account).error
        assert len(elsewhere.requests) == 1

    def test_a_missing_key_names_the_setting(self, account, elsewhere, settings):
        settings.ZERODB_MASTER_API_KEY = ""
        assert work(account) == "failed"
        assert "Set ZERODB_MASTER_API_KEY" in row(account).error and elsewhere.requests == []

    def test_asking_again_after_the_reason_is_mended_works(self, account, elsewhere):
        elsewhere.limit = 0
        work(account)
        elsewhere.limit = None
        with tenant(account):
            request_provisioning(account=account, actor=SYSTEM)
        until_done(account)
        assert_exactly_one(account, elsewhere)


def test_a_project_entered_by_hand_meanwhile_stays(account, elsewhere, monkeypatch):
    """While the worker creates, somebody enters another project: theirs counts and ours is given back."""
    with account_client() as server:
        entered = server.create_project(name="made by somebody")

    def enter(name: str) -> None:
        if name == "provision.after_create":
            with tenant(account):
                enter_by_hand(account=account, project_id=entered.id, api_key=entered.api_key, actor=SYSTEM)

    monkeypatch.setattr(module, "crash_point", enter)
    work(account)
    assert row(account).project_id == entered.id and row(account).status == "ready"
    assert [remote["id"] for remote in elsewhere.alive] == [entered.id]


def test_a_key_never_stands_in_jobs_audit_or_errors(account, elsewhere):
    elsewhere.fail("lost_after", method="POST")
    until_done(account)
    key = row(account).api_key
    with tenant(account):
        shown = f"{list(Job.objects.values())} {[entry.payload for entry in AuditEntry.objects.all()]}"
    assert key not in shown and zerodb.MASTER_KEY not in shown


class TestProvisionAccounts:
    @pytest.fixture
    def old_accounts(self, elsewhere):
        """Accounts from before there was provisioning."""
        accounts = [make_account(f"Old {number}") for number in range(3)]
        for account in accounts:
            with tenant(account):
                AINativeProject.objects.all().delete()
                Job.objects.all().delete()
        return accounts

    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("provision_accounts", "--rate", "100", *arguments, stdout=out, stderr=StringIO())
        return out.getvalue()

    @pytest.mark.covers("P-07")
    def test_one_bad_account_does_not_stop_the_rest(self, old_accounts, elsewhere):
        elsewhere.fail("status", status=422, method="POST", body={"detail": "bad name", "error_code": "NO"})
        out, err = StringIO(), StringIO()
        with pytest.raises(CommandError) as failure:
            call_command("provision_accounts", "--rate", "100", stdout=out, stderr=err)
        assert failure.value.returncode == 1
        assert "2 provisioned, 1 failed" in out.getvalue() and "bad name" in err.getvalue()
        assert [row(account).status for account in old_accounts] == ["failed", "ready", "ready"]
        assert "1 provisioned, 0 failed" in self.run()
        assert len(elsewhere.alive) == 3

    @pytest.mark.covers("P-07")
    def test_an_attempt_that_waits_for_its_time_is_made_now(self, account, elsewhere):
        elsewhere.fail("status", method="POST")
        assert work(account) == "queued"
        assert "1 provisioned" in self.run()

    @pytest.mark.covers("P-07")
    def test_a_dry_run_asks_nobody_and_changes_nothing(self, old_accounts, elsewhere):
        assert "Nothing was changed" in self.run("--dry-run")
        assert elsewhere.requests == []
