"""With a server elsewhere the features are the same: a second installation, over real HTTP."""

from __future__ import annotations

import logging

import pytest
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.integrations.zerodb import holdings
from apps.integrations.zerodb.usage import month_of_use
from tests.api_client import ApiClient
from tests.chat.conftest import SYSTEM, Say
from tests.chat.remote.conftest import index, messages_here, project_of, vectors_there
from tests.factories import make_contact
from tests.second_installation import SecondInstallation
from tests.stand_ins.faulty_proxy import FaultyProxy

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("elsewhere"),
    pytest.mark.timeout(240),
    pytest.mark.covers("P-10", "P-11"),
]


def test_what_is_said_is_indexed_there_and_found_by_meaning(
    account: Account, api: ApiClient, say: Say, second: SecondInstallation
) -> None:
    parcel = say(account, "My parcel has not arrived yet.")
    gone = say(account, "I forgot my password and cannot sign in.")
    index(account)
    assert vectors_there(second, account) == messages_here(account)
    found = api.post("conversations/search", {"query": "Where is my delivery?", "mode": "meaning"}).json["results"]
    assert found[0]["conversation"]["id"] == str(parcel.pk)
    with tenant(account):
        delete_conversation(lock_conversation(gone.pk), actor=SYSTEM)
    index(account)
    assert vectors_there(second, account) == messages_here(account)
    assert len(messages_here(account)) == 1


def test_facts_are_recalled_by_what_is_talked_about(account: Account, api: ApiClient) -> None:
    address = f"contacts/{make_contact(account).id}/memories"
    for fact in ("Has a cat named Biscuit", "No calls before three in the afternoon"):
        assert api.post(address, {"content": fact}).status == 201
    found = api.get(f"{address}?about=When+can+I+ring+her").json["results"]
    assert found[0]["content"] == "No calls before three in the afternoon"


def test_what_it_was_used_for_and_what_it_holds_is_counted(account: Account, api: ApiClient, say: Say) -> None:
    say(account, "My parcel has not arrived yet.", "Where is it?")
    index(account)
    api.post("conversations/search", {"query": "parcel", "mode": "meaning"})
    assert holdings.count_all(timezone.now()) == 0, "indexing had it counted"
    with tenant(account):
        month = month_of_use(timezone.now())
        held = holdings.read(account.id)
    assert (month.searches, month.embeddings, month.vectors) == (1, 2, 2)
    assert held is not None
    assert held.vectors == 2
    amounts = api.get("account/costs").json["estimate"]["quantities"]
    assert (amounts["vectors"], amounts["searches"], amounts["memory_gb"]) == ("2", "1", None)


def test_the_master_key_makes_projects_and_nothing_else(
    account: Account, api: ApiClient, say: Say, second: SecondInstallation, proxy: FaultyProxy
) -> None:
    say(account, "My parcel has not arrived yet.")
    index(account)
    api.post("conversations/search", {"query": "parcel", "mode": "meaning"})
    project = project_of(account)
    keys = {str(project.api_key): "project", second.master_key: "master"}
    by_path = {(one.method, one.path): keys[one.key] for one in proxy.carried}
    assert by_path.pop(("POST", "projects")) == "master"
    assert set(by_path.values()) == {"project"}
    assert ("POST", f"projects/{project.project_id}/database/vectors/batch-upsert") in by_path


def test_no_key_and_no_text_is_in_any_log(
    account: Account,
    api: ApiClient,
    say: Say,
    second: SecondInstallation,
    proxy: FaultyProxy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        say(account, "My parcel has not arrived yet.")
        index(account)
        proxy.fail("status", 2, status=500)
        proxy.fail("lost_after", 2)
        api.post("conversations/search", {"query": "parcel", "mode": "meaning"})
    written = caplog.text + second.output()
    assert "failed" in caplog.text
    for secret in (second.master_key, str(project_of(account).api_key), "has not arrived"):
        assert secret not in written
