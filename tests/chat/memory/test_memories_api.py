"""What is remembered about a contact, through the API."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest
from django.db import connection

from apps.accounts.models import Account, Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import ContactMemory
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.vault.models import Contact
from tests.api_client import ApiClient, by_key
from tests.chat.conftest import SYSTEM, Say
from tests.factories import make_contact
from tests.threads import at_once
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]


@pytest.fixture
def api(account: Account) -> ApiClient:
    return by_key(account, Role.OWNER)


@pytest.fixture
def ann(account: Account) -> Contact:
    return make_contact(account, name="Ann")


def test_a_fact_reads_back_changes_and_is_forgotten(api: ApiClient, ann: Contact) -> None:
    address = f"contacts/{ann.id}/memories"
    made = api.post(address, {"content": "Prefers  e-mail", "importance": 4, "tags": ["Contact", "contact"]})
    assert made.status == 201
    fact = made.json
    assert (fact["content"], fact["importance"], fact["tags"]) == ("Prefers e-mail", 4, ["contact"])
    assert (fact["state"], fact["origin"]) == ("remembered", "hand")
    assert api.get(address).json["results"] == [fact]
    assert api.get(f"memories/{fact['id']}").json == fact
    assert api.patch(f"memories/{fact['id']}", {"content": "Prefers letters"}).json["content"] == "Prefers letters"
    assert api.delete(f"memories/{fact['id']}").status == 204
    assert api.get(address).json["results"] == []


def test_a_fact_told_by_hand_names_the_message_that_says_so(
    api: ApiClient, account: Account, ann: Contact, say: Say
) -> None:
    said = say(account, "Please write, never call.")
    with tenant(account):
        message, contact = str(said.messages.get().pk), said.contact_id
    fact = {"content": "Wants letters", "source_message": message}
    made = api.post(f"contacts/{contact}/memories", fact)
    assert (made.status, made.json["source_message"]) == (201, message)
    sent_back = api.patch(f"memories/{made.json['id']}", {**made.json, "importance": 5})
    assert (sent_back.status, sent_back.json["source_message"], sent_back.json["importance"]) == (200, message, 5)
    for wrong in (message, str(uuid4()), "the one from Monday", [1]):
        refused = api.post(f"contacts/{ann.id}/memories", {**fact, "source_message": wrong})
        assert refused.faults == {"source_message": "not_found"}
    assert api.get(f"contacts/{ann.id}/memories").json["results"] == []


def test_the_same_fact_is_kept_once(api: ApiClient, ann: Contact) -> None:
    address = f"contacts/{ann.id}/memories"
    first = api.post(address, {"content": "Prefers e-mail."}).json
    assert api.post(address, {"content": "prefers E-mail"}).json["id"] == first["id"]


def test_the_same_fact_told_by_many_at_once_is_kept_once(account: Account, ann: Contact) -> None:
    address = f"contacts/{ann.id}/memories"
    people = [by_key(account, Role.MEMBER) for _ in range(6)]
    told = at_once(*(partial(person.post, address, {"content": "Prefers e-mail"}) for person in people))
    assert {answer.status for answer in told} == {201}
    assert len({answer.json["id"] for answer in told}) == len(people[0].get(address).json["results"]) == 1


def test_nothing_of_it_lies_readable_in_the_table(api: ApiClient, ann: Contact, account: Account) -> None:
    api.post(f"contacts/{ann.id}/memories", {"content": "Prefers letters", "tags": ["quiet"]})
    api.get(f"contacts/{ann.id}/memories?about=how+to+reach+her")
    with tenant(account), connection.cursor() as cursor:
        cursor.execute("SELECT chat_contactmemory::text FROM chat_contactmemory")
        stored = str(cursor.fetchall())
    for part in ("letters", "quiet", "MiniLM", "vector"):
        assert part not in stored
        assert part.encode().hex() not in stored


def test_the_facts_that_bear_on_a_matter_come_first(api: ApiClient, ann: Contact) -> None:
    address = f"contacts/{ann.id}/memories"
    for fact in ("Has a cat named Biscuit", "The billing card ends in 4471", "No calls before three in the afternoon"):
        api.post(address, {"content": fact})
    for about, first in (
        ("When can I ring her?", "No calls before three in the afternoon"),
        ("Which payment method is on file?", "The billing card ends in 4471"),
        ("Are there any pets in the flat?", "Has a cat named Biscuit"),
    ):
        found = api.get(f"{address}?about={about}&limit=2").json["results"]
        assert found[0]["content"] == first
        assert found[0]["score"] > found[1]["score"] >= 0


def test_importance_decides_among_facts_that_fit_alike(api: ApiClient, ann: Contact) -> None:
    address = f"contacts/{ann.id}/memories"
    api.post(address, {"content": "Likes tea in the morning", "importance": 1})
    api.post(address, {"content": "Likes tea in the evening", "importance": 5})
    found = api.get(f"{address}?about=tea").json["results"]
    assert found[0]["importance"] == 5


def test_a_changed_fact_is_recalled_by_what_it_says_now(api: ApiClient, ann: Contact) -> None:
    address = f"contacts/{ann.id}/memories"
    fact = api.post(address, {"content": "Has a cat"}).json
    before = api.get(f"{address}?about=a car").json["results"][0]["score"]
    api.patch(f"memories/{fact['id']}", {"content": "Drives an old car"})
    assert api.get(f"{address}?about=a car").json["results"][0]["score"] > before


def test_rules_propose_what_a_customer_states_and_a_person_decides(api: ApiClient, account: Account, say: Say) -> None:
    conversation = say(
        account,
        "Where is my parcel? Please e-mail me instead of calling.",
        "By the way, I'm allergic to latex.",
    )
    address = f"contacts/{conversation.contact_id}/memories"
    job = api.post(f"conversations/{conversation.pk}/memories", {})
    assert (job.status, job.json["kind"]) == (202, "memories.propose")
    assert work_off(account, "memories.propose") == ["done"]
    proposed = api.get(f"{address}?state=proposed").json["results"]
    assert [fact["content"] for fact in proposed] == [
        "By the way, I'm allergic to latex.",
        "Please e-mail me instead of calling.",
    ]
    assert all(fact["source_message"] and fact["origin"] == "rules" for fact in proposed)
    assert api.get(address).json["results"] == []
    api.patch(f"memories/{proposed[0]['id']}", {"state": "remembered"})
    api.patch(f"memories/{proposed[1]['id']}", {"state": "dismissed"})
    api.post(f"conversations/{conversation.pk}/memories", {})
    work_off(account, "memories.propose")
    with tenant(account):
        assert Job.objects.filter(kind="memories.propose").count() == 2
        assert ContactMemory.objects.count() == 2  # what was dismissed does not come back
    assert len(api.get(address).json["results"]) == 1


def test_a_fact_outlives_the_conversation_and_not_the_contact(api: ApiClient, account: Account, say: Say) -> None:
    conversation = say(account, "I'm allergic to latex.")
    api.post(f"conversations/{conversation.pk}/memories", {})
    work_off(account, "memories.propose")
    with tenant(account):
        delete_conversation(lock_conversation(conversation.pk), actor=SYSTEM)
        assert ContactMemory.objects.get().source_message_id is None
    assert api.delete(f"contacts/{conversation.contact_id}").status == 204
    with tenant(account):
        assert not ContactMemory.objects.exists()


def test_a_contact_who_asks_is_forgotten_whole(api: ApiClient, ann: Contact, account: Account) -> None:
    for fact in ("Has a cat", "Has a dog"):
        api.post(f"contacts/{ann.id}/memories", {"content": fact})
    assert api.delete(f"contacts/{ann.id}/memories").status == 204
    with tenant(account):
        assert not ContactMemory.objects.exists()


def test_what_is_wrong_is_named(api: ApiClient, ann: Contact) -> None:
    address = f"contacts/{ann.id}/memories"
    for body, faults in (
        ({}, {"content": "required"}),
        ({"content": " "}, {"content": "blank"}),
        ({"content": "x" * 1001}, {"content": "max_length"}),
        ({"content": "x", "importance": 6}, {"importance": "max_value"}),
        ({"content": "x", "tags": "cat"}, {"tags": "invalid"}),
        ({"content": "x", "tags": ["y" * 41]}, {"tags": "max_length"}),
    ):
        assert api.post(address, body).faults == faults, body
    assert api.post(f"contacts/{uuid4()}/memories", {"content": "x"}).status == 404


def test_switched_off_it_says_so_and_still_forgets(api: ApiClient, ann: Contact) -> None:
    fact = api.post(f"contacts/{ann.id}/memories", {"content": "Has a cat"}).json
    assert api.patch("account/features", {"features": [{"name": "agent_memory", "enabled": False}]}).status == 200
    refused = api.post(f"contacts/{ann.id}/memories", {"content": "Has a dog"})
    assert (refused.status, refused.json["code"]) == (409, "feature_off")
    assert api.delete(f"memories/{fact['id']}").status == 204


@pytest.mark.covers("A-11")
def test_switched_off_nothing_is_recalled_or_proposed(api: ApiClient, account: Account, say: Say) -> None:
    conversation = say(account, "By the way, I'm allergic to latex.")
    facts, propose = f"contacts/{conversation.contact_id}/memories", f"conversations/{conversation.pk}/memories"
    assert api.post(facts, {"content": "Has a cat"}).status == 201
    assert api.post(propose, {}).status == 202
    assert api.patch("account/features", {"features": [{"name": "agent_memory", "enabled": False}]}).status == 200
    for refused in (api.get(f"{facts}?about=pets"), api.post(propose, {})):
        assert (refused.status, refused.json["code"]) == (409, "feature_off")
    assert [fact["content"] for fact in api.get(facts).json["results"]] == ["Has a cat"]
    assert work_off(account, "memories.propose") == ["failed"], "it was asked for before"
    assert api.get(f"{facts}?state=proposed").json["results"] == []
