"""``POST conversations/search``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.jobs.running import run
from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.reindexing import hurry, queue_indexing
from apps.chat.services.conversations import lock_conversation
from apps.chat.services.messages import write_note
from tests.api_client import ApiClient, by_key
from tests.chat.conftest import SYSTEM, Say
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]


@pytest.fixture
def api(account: Account) -> ApiClient:
    return by_key(account, Role.OWNER)


def index(account: Account) -> None:
    with tenant(account):
        hurry()
        job = queue_indexing(SYSTEM)
    assert run(account.id, job.id) == "done"


def search(api: ApiClient, query: str, **options: Any) -> list[Any]:
    answer = api.post("conversations/search", {"query": query, "mode": "meaning", **options})
    assert answer.status == 200, answer.content
    results: list[Any] = answer.json["results"]
    return results


def test_conversations_are_found_by_meaning_with_the_passages_meant(api: ApiClient, account: Account, say: Say) -> None:
    parcel = say(account, "Good morning.", "My parcel has not arrived yet.")
    say(account, "I forgot my password and cannot sign in.")
    index(account)
    first, second = search(api, "Where is my delivery?")
    assert first["conversation"]["id"] == str(parcel.pk)
    assert first["conversation"]["status"] == "open"
    assert first["conversation"]["contact"]["name"].startswith("Contact")
    assert first["passages"][0]["text"] == "My parcel has not arrived yet."
    assert 1 >= first["score"] > second["score"] >= 0


def test_filters_narrow_what_is_found(api: ApiClient, account: Account, say: Say) -> None:
    parcel = say(account, "My parcel has not arrived yet.")
    say(account, "My parcel is lost.")
    index(account)
    api.patch(f"conversations/{parcel.pk}", {"status": "resolved"})
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    for options, count in (
        ({"status": ["resolved"]}, 1),
        ({"status": ["open", "resolved"]}, 2),
        ({"contact": str(parcel.contact_id)}, 1),
        ({"inbox": str(parcel.inbox_id)}, 2),
        ({"since": tomorrow}, 0),
        ({"limit": 1}, 1),
    ):
        assert len(search(api, "parcel", **options)) == count, options


def test_private_notes_are_not_found(api: ApiClient, account: Account, say: Say) -> None:
    conversation = say(account, "Hello.")
    with tenant(account):
        write_note(lock_conversation(conversation.pk), "The parcel went to the mayor.", actor=SYSTEM, is_private=True)
    index(account)
    passages = [passage["text"] for hit in search(api, "parcel") for passage in hit["passages"]]
    assert passages == ["Hello."]


def test_what_is_wrong_is_named(api: ApiClient) -> None:
    for body, faults in (
        ({}, {"query": "required"}),
        ({"query": " "}, {"query": "blank"}),
        ({"query": "x" * 501}, {"query": "max_length"}),
        ({"query": "x", "mode": "magic"}, {"mode": "invalid_choice"}),
        ({"query": "x", "limit": 0}, {"limit": "min_value"}),
    ):
        assert api.post("conversations/search", body).faults == faults


def test_without_a_project_it_says_so() -> None:
    account = make_account()
    api = by_key(account, Role.OWNER)
    refused = api.post("conversations/search", {"query": "parcel", "mode": "meaning"})
    assert (refused.status, refused.json["reason"]) == (409, "needs_project")
    by_words = api.post("conversations/search", {"query": "parcel"}).json
    assert (by_words["results"], len(by_words["notices"])) == ([], 1)


def test_switched_off_it_says_so_and_finds_by_words(api: ApiClient, account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.")
    index(account)
    api.patch("account/features", {"features": [{"name": "semantic_search", "enabled": False}]})
    refused = api.post("conversations/search", {"query": "parcel", "mode": "meaning"})
    assert (refused.status, refused.json["code"]) == (409, "feature_off")
    by_words = api.post("conversations/search", {"query": "parcel"}).json
    assert len(by_words["results"]) == 1
    assert "switched off" in by_words["notices"][0]


def test_each_search_is_counted(api: ApiClient, account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.")
    index(account)
    search(api, "parcel")
    usage = api.get("account/usage").json
    assert "searches" in str(usage)
