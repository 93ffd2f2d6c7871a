"""Whatever goes wrong on the way: a plain notice at once, nothing lost or doubled, and nobody hammers."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.sweeping import sweep
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.integrations.outbound import breaker, http
from apps.integrations.zerodb.client import resting
from tests.api_client import ApiClient
from tests.chat.conftest import SYSTEM, Say
from tests.chat.remote.conftest import INDEX, index, messages_here, project_of, projects_there, vectors_there
from tests.factories import make_account, make_contact
from tests.second_installation import SecondInstallation
from tests.stand_ins.faulty_proxy import FaultyProxy
from tests.working import work_off

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("elsewhere"),
    pytest.mark.timeout(240),
    pytest.mark.covers("P-10"),
]
FAULTS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "40"}},
    "lost before": {"kind": "lost_before"},
    "lost after it was done": {"kind": "lost_after"},
    "cut off": {"kind": "half"},
    "too slow": {"kind": "slow", "seconds": 1.6},
}


@pytest.fixture(autouse=True)
def impatient(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers must come within a second, and what is tried again is tried at once."""
    settings.ZERODB_PATIENCE_SECONDS = settings.ZERODB_TIMEOUT_SECONDS = 1
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))


def time_passes() -> None:
    """As if the time were over that somebody is left alone for."""
    breaker.close_all()
    resting.forget_all()


def index_with_faults(account: Account, proxy: FaultyProxy) -> list[str]:
    sweep()
    outcome = work_off(account, INDEX)
    proxy.faults.clear()
    time_passes()
    return outcome


@pytest.mark.parametrize("name", FAULTS)
def test_what_did_not_work_is_done_later_and_once(
    name: str, account: Account, say: Say, second: SecondInstallation, proxy: FaultyProxy
) -> None:
    stays = say(account, "The boiler makes a knocking noise.", "Please send somebody.")
    goes = say(account, "I forgot my password.")
    proxy.fail(**FAULTS[name], times=3, path="embeddings/generate")
    assert index_with_faults(account, proxy) == ["queued"]
    proxy.fail(**FAULTS[name], times=3, path="batch-upsert")
    assert index_with_faults(account, proxy) == ["queued"]
    index(account)
    assert vectors_there(second, account) == messages_here(account)
    with tenant(account):
        delete_conversation(lock_conversation(goes.pk), actor=SYSTEM)
        assert stays.pk
    proxy.fail(**FAULTS[name], times=3, method="DELETE")
    assert index_with_faults(account, proxy) == ["queued"]
    index(account)
    assert vectors_there(second, account) == messages_here(account)
    assert len(messages_here(account)) == 2


@pytest.mark.parametrize("name", FAULTS)
def test_a_search_says_so_at_once(name: str, account: Account, api: ApiClient, say: Say, proxy: FaultyProxy) -> None:
    say(account, "The boiler makes a knocking noise.")
    index(account)
    proxy.fail(**FAULTS[name], times=99)
    began = time.monotonic()
    found = api.post("conversations/search", {"query": "boiler"})
    assert found.status == 200
    assert len(found.json["results"]) == 1
    assert "Only words were searched" in found.json["notices"][0]
    refused = api.post("conversations/search", {"query": "boiler", "mode": "meaning"})
    assert (refused.status, refused.code) == (503, "service_unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= 40
    contact = make_contact(account)
    assert api.post(f"contacts/{contact.id}/memories", {"content": "Has a cat"}).status == 201
    recalled = api.get(f"contacts/{contact.id}/memories?about=pets").json
    assert [(fact["content"], fact["score"]) for fact in recalled["results"]] == [("Has a cat", None)]
    assert "most important" in recalled["notices"][0]
    assert api.get(f"contacts/{contact.id}/memories").status == 200
    assert time.monotonic() - began < 8, "three questions, a second each"
    if name == "429":
        assert len(proxy.calls(path="embeddings/generate")) == 2  # indexing before, and one that was refused
    proxy.faults.clear()
    time_passes()
    assert api.get(f"contacts/{contact.id}/memories?about=pets").json["results"][0]["content"] == "Has a cat"


def test_a_refused_key_is_not_asked_with_again_and_again(
    account: Account, api: ApiClient, say: Say, second: SecondInstallation, proxy: FaultyProxy
) -> None:
    say(account, "The boiler makes a knocking noise.")
    proxy.fail("status", 99, status=401)
    for _ in range(5):
        assert sweep() == 1
        with tenant(account):
            jobs = list(Job.objects.filter(kind=INDEX))
        assert len(jobs) == 1
    assert work_off(account, INDEX) == ["queued"]
    assert len(proxy.calls(path="embeddings")) == 1
    with tenant(account):
        job = Job.objects.get(kind=INDEX)
    assert job.next_attempt_at - job.heartbeat_at >= timedelta(minutes=10)
    refused = api.post("conversations/search", {"query": "boiler", "mode": "meaning"})
    assert (refused.status, refused.code) == (503, "service_unavailable")
    assert "Retry-After" not in refused.headers
    proxy.faults.clear()
    index(account)
    assert vectors_there(second, account) == messages_here(account)


@pytest.mark.parametrize("kind", ["lost_before", "lost_after", "half"])
def test_an_account_gets_one_project_whatever_becomes_of_the_answer(
    kind: Any, second: SecondInstallation, proxy: FaultyProxy
) -> None:
    account = make_account("Harbour & Pine")
    proxy.fail(kind, method="POST", path="projects")
    assert work_off(account, "project.provision") == ["queued"]
    assert work_off(account, "project.provision") == ["done"]
    assert projects_there(second, account) == [project_of(account).project_id]
