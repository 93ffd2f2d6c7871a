"""Changed settings reach the project at the service, in the background."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import Account, Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from apps.integrations.outbound import breaker
from apps.integrations.zerodb.client import account_client
from apps.integrations.zerodb.provisioning import change_settings, enter_by_hand
from apps.integrations.zerodb.provisioning import provision as module
from tests.accounts.pages.conftest import signed_in
from tests.api_client import by_key
from tests.factories import Cast
from tests.stand_ins.zerodb import StandIn
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-04", "P-10")]
SYSTEM = Actor.system("test")
KIND = "project.configure"


@pytest.fixture
def account(elsewhere: StandIn, cast: Cast) -> Account:
    """Whose project is ready, and the only one at the service."""
    assert work_off(cast.account, "project.provision") == ["done"]
    return cast.account


def change(account: Account, **values: Any) -> None:
    with tenant(account):
        change_settings(AINativeProject.objects.get(), actor=SYSTEM, **values)


def row(account: Account) -> AINativeProject:
    with tenant(account):
        return AINativeProject.objects.get()


def at_service(elsewhere: StandIn) -> dict[str, Any]:
    (remote,) = elsewhere.alive
    return remote["settings"]


def test_a_change_through_any_door_is_sent(account: Account, elsewhere: StandIn, cast: Cast) -> None:
    by_key(account, Role.ADMIN).patch("project/settings", {"features": {"agent_memory": False}})
    model = "sentence-transformers/all-MiniLM-L6-v2"
    signed_in(cast.alice).post(f"/app/{account.slug}/ai/", {"embeddings_model": model})
    assert work_off(account, KIND) == ["done", "done"]
    assert at_service(elsewhere) == {
        "embeddings_model": model,
        "vector_dimensions": 384,
        "features": {
            "semantic_search": True,
            "vector_storage": False,
            "agent_memory": False,
            "rlhf_collection": False,
        },
    }


def test_what_is_saved_unchanged_is_not_sent(account: Account) -> None:
    change(account, auto_indexing=True)
    assert work_off(account, KIND) == []


def test_an_account_without_a_project_sends_nothing_and_provisioning_does(elsewhere: StandIn, cast: Cast) -> None:
    change(cast.account, auto_indexing=False)
    assert work_off(cast.account, KIND) == []
    assert work_off(cast.account, "project.provision") == ["done"]
    assert at_service(elsewhere)["features"]["vector_storage"] is False


def test_a_change_while_the_project_is_being_made_is_not_lost(
    elsewhere: StandIn, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_after(name: str) -> None:
        if name == "provision.after_configure":
            change(cast.account, auto_indexing=False)

    monkeypatch.setattr(module, "crash_point", change_after)
    assert work_off(cast.account, "project.provision") == ["done"]
    assert work_off(cast.account, KIND) == ["done"]
    assert at_service(elsewhere)["features"]["vector_storage"] is False


def test_the_last_change_wins_whichever_job_is_slower(account: Account, elsewhere: StandIn, monkeypatch: Any) -> None:
    """While the first job sends, a second change is made and sent by its own job."""
    from apps.integrations.zerodb.client import ProjectClient

    change(account, auto_indexing=False)
    send, nested = ProjectClient.change_settings, []

    def slow(self: ProjectClient, settings: Any) -> Any:
        if not nested:
            nested.append(True)
            change(account, auto_indexing=True)
            nested.extend(work_off(account, KIND))
        return send(self, settings)

    monkeypatch.setattr(ProjectClient, "change_settings", slow)
    assert work_off(account, KIND) == ["done"]
    assert nested == [True, "done"]
    assert at_service(elsewhere)["features"]["vector_storage"] is True


def test_an_outage_is_waited_for(account: Account, elsewhere: StandIn) -> None:
    change(account, auto_indexing=False)
    elsewhere.fail("status", times=5, method="PATCH")
    assert work_off(account, KIND) == ["queued"]
    elsewhere.faults.clear()
    breaker.close_all()
    assert work_off(account, KIND) == ["done"]
    assert at_service(elsewhere)["features"]["vector_storage"] is False


def test_a_refusal_is_told_on_the_page_and_saving_once_more_tries_again(
    account: Account, elsewhere: StandIn, cast: Cast
) -> None:
    change(account, auto_indexing=False)
    elsewhere.fail("status", status=403, method="PATCH", body={"detail": "suspended", "error_code": "SUSPENDED"})
    assert work_off(account, KIND) == ["failed"]
    project = row(account)
    assert project.status == "ready" and "did not reach the AI service" in project.error
    page = signed_in(cast.alice).get(f"/app/{account.slug}/ai/").content.decode()
    assert "did not reach the AI service. The AI service refused: suspended. Save" in page
    change(account, auto_indexing=False)
    assert work_off(account, KIND) == ["done"]
    assert row(account).error == ""


def test_a_project_that_is_gone_is_told(account: Account, elsewhere: StandIn) -> None:
    elsewhere.alive[0]["status"] = "DELETED"
    change(account, auto_indexing=False)
    assert work_off(account, KIND) == ["failed"]
    assert "gone from the AI service" in row(account).error


def test_a_project_entered_by_hand_gets_the_accounts_settings(elsewhere: StandIn, cast: Cast) -> None:
    change(cast.account, auto_indexing=False)
    with account_client() as server:
        entered = server.create_project(name="made by somebody")
    with tenant(cast.account):
        enter_by_hand(account=cast.account, project_id=entered.id, api_key=str(entered.api_key), actor=SYSTEM)
    assert work_off(cast.account, KIND) == ["done"]
    assert at_service(elsewhere)["features"]["vector_storage"] is False


def test_the_key_is_in_no_row_of_the_job(account: Account) -> None:
    change(account, auto_indexing=False)
    work_off(account, KIND)
    with tenant(account):
        assert str(AINativeProject.objects.get().api_key) not in str(list(Job.objects.values()))
