"""``POST conversations/search``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.jobs.running import run
from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
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
        ({"status": "resolved"}, 1),
        ({"status": "open, resolved"}, 2),
        ({"since": tomorrow}, 0),
        ({"from": tomorrow}, 0),
        ({"until": tomorrow}, 2),
        ({"to": tomorrow}, 2),
        ({"limit": 1}, 1),
    ):
        assert len(search(api, "parcel", **options)) == count, options


@pytest.mark.parametrize("mode", ["both", "fused", "hybrid"])
def test_search_by_meaning_and_words_has_three_names(api: ApiClient, account: Account, say: Say, mode: str) -> None:
    parcel = say(account, "My parcel has not arrived yet.")
    index(account)
    unnamed = api.post("conversations/search", {"query": "parcel"}).json["results"]
    assert [hit["conversation"]["id"] for hit in unnamed] == [str(parcel.pk)]
    assert search(api, "parcel", mode=mode) == unnamed


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


def test_who_names_no_mode_that_exists_reads_which_do(api: ApiClient) -> None:
    (fault,) = api.post("conversations/search", {"query": "x", "mode": "magic"}).json["errors"]
    assert fault["detail"] == '"magic" is none of meaning, words, both, fused, hybrid.'
    (fault,) = api.post("conversations/search", {"query": "x", "status": ["lost"]}).json["errors"]
    assert fault["detail"] == '"lost" is none of open, pending, snoozed, resolved.'


def test_words_of_scripts_without_spaces_are_found(api: ApiClient, account: Account, say: Say) -> None:
    talk = say(account, "東京都の天気はどうですか")
    say(account, "大阪は晴れです")
    for query in ("東京", "東京都の天気", "天", "今日の天気"):
        (hit,) = search(api, query, mode="words")
        assert hit["conversation"]["id"] == str(talk.pk)
        assert [passage["text"] for passage in hit["passages"]] == ["東京都の天気はどうですか"]


@pytest.mark.covers("A-12")
def test_a_suspended_account_is_read_only_and_searching_is_reading(api: ApiClient, account: Account, say: Say) -> None:
    talk = say(account, "My parcel has not arrived yet.")
    index(account)
    with platform("suspend an account"):
        Account.objects.filter(pk=account.pk).update(status=Account.Status.SUSPENDED)
    for mode in ("words", "meaning", "both"):
        (hit,) = search(api, "parcel", mode=mode)
        assert hit["conversation"]["id"] == str(talk.pk)
    refused = api.post(f"conversations/{talk.pk}/messages", {"content": "It is on its way."})
    assert (refused.status, refused.code) == (403, "account_suspended")


@pytest.mark.covers("X-07")
def test_nothing_but_common_words_is_said_and_not_answered_with_nothing(api: ApiClient, account: Account) -> None:
    for query in ("the", "is it", "🎉", "%"):
        assert api.post("conversations/search", {"query": query, "mode": "words"}).faults == {
            "query": "nothing_to_find"
        }
        assert api.post("conversations/search", {"query": query}).status == 200


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
