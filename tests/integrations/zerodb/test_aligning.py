"""The project's settings follow the feature switches, whoever moves them."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.features import is_on
from apps.accounts.models import Account, Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations import tasks
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.provisioning.aligning import align_all
from tests.accounts.features.conftest import stage, switch
from tests.accounts.signin.people import trail
from tests.api_client import by_key
from tests.factories import Cast, make_account
from tests.stand_ins.zerodb import StandIn
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("A-11", "P-01")]
KIND = "project.configure"


@pytest.fixture
def account(elsewhere: StandIn, cast: Cast) -> Account:
    """Whose project is ready, and the only one at the service."""
    assert work_off(cast.account, "project.provision") == ["done"]
    return cast.account


def at_service(elsewhere: StandIn) -> dict[str, Any]:
    (remote,) = elsewhere.alive
    return dict(remote["settings"]["features"])


def kept(account: Account) -> dict[str, bool]:
    with tenant(account):
        return dict(AINativeProject.objects.get().settings["features"])


def test_a_project_that_becomes_ready_lets_its_features_work_at_once(cast: Cast, elsewhere: StandIn) -> None:
    assert not is_on("semantic_search", cast.account)
    assert work_off(cast.account, "project.provision") == ["done"]
    assert is_on("semantic_search", cast.account), "without waiting for what was remembered"


def test_a_switch_is_sent_by_a_job_in_the_name_of_who_switched(account: Account, elsewhere: StandIn) -> None:
    switch(account, "agent_memory", False)
    assert kept(account)["agent_memory"] is False
    assert at_service(elsewhere)["agent_memory"] is True, "the job has not run"
    assert work_off(account, KIND) == ["done"]
    assert at_service(elsewhere)["agent_memory"] is False
    switch(account, "agent_memory", False)
    assert work_off(account, KIND) == [], "nothing changed, nothing is sent"


def test_settings_through_the_api_of_the_project_are_the_same_switches(account: Account, elsewhere: StandIn) -> None:
    api = by_key(account, Role.ADMIN)
    assert api.patch("project/settings", {"features": {"smart_suggestions": False}}).status == 200
    one = next(row for row in api.get("account/features").json["features"] if row["name"] == "smart_suggestions")
    assert one["enabled"] is False
    assert trail(account)[0].action == "feature.switched_off"
    api.patch("account/features", {"features": [{"name": "smart_suggestions", "enabled": True}]})
    assert api.get("project").json["settings"]["features"]["smart_suggestions"] is True
    stage("smart_suggestions", "off")
    refused = api.patch("project/settings", {"features": {"smart_suggestions": True}, "auto_indexing": False})
    assert (refused.status, list(refused.faults)) == (400, ["features.smart_suggestions"])
    assert api.get("project").json["settings"]["auto_indexing"] is True, "all or none"


def test_a_stage_reaches_all_accounts_it_changes_and_no_other(
    account: Account, elsewhere: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bool] = []
    monkeypatch.setattr(tasks.align_features, "delay", lambda: sent.append(True))
    chosen = make_account()
    switch(chosen, "semantic_search", False)
    switch(chosen, "semantic_search", True)
    stage("semantic_search", "opt_in")
    assert sent == [True], "the worker is asked after the commit"
    assert align_all() >= 1
    assert kept(account)["semantic_search"] is False
    assert kept(chosen)["semantic_search"] is True
    assert work_off(account, KIND) == ["done"]
    assert at_service(elsewhere)["semantic_search"] is False
    with tenant(chosen):
        assert not Job.objects.filter(kind=KIND).exists(), "it has no project to send anything to"
    assert align_all() == 0, "all are in step"


def test_a_new_account_begins_with_what_is_let_out(elsewhere: StandIn) -> None:
    stage("agent_memory", "off")
    account = make_account()
    assert kept(account) == {"semantic_search": True, "smart_suggestions": True, "agent_memory": False}
    assert work_off(account, "project.provision") == ["done"]
    assert at_service(elsewhere)["agent_memory"] is False
