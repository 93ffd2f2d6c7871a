"""Conversations go into the index, and out of it, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.indexing import changes, running
from apps.chat.indexing.generations import serving
from apps.chat.indexing.passages import message_id_of
from apps.chat.indexing.progress import index_progress
from apps.chat.indexing.reindexing import queue_indexing, reindex
from apps.chat.indexing.sweeping import sweep
from apps.chat.indexing.vectors import project
from apps.chat.models import Conversation, IndexedMessage, IndexGeneration, Message
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.chat.services.messages import write_note
from apps.integrations.models import ZeroVector
from apps.integrations.outbound.errors import NoAnswer
from apps.integrations.zerodb.client import ProjectClient
from apps.integrations.zerodb.client.answers import Hit
from apps.integrations.zerodb.embedding import DEFAULT_MODEL
from apps.vault.services.contacts import delete_contact
from tests.api_client import by_key
from tests.chat.conftest import SYSTEM, Say
from tests.factories import make_account
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06", "P-12")]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "DEBOUNCE", timedelta(0))


def index(account: Account) -> str:
    with tenant(account):
        job = queue_indexing(SYSTEM)
        Job.objects.filter(pk=job.pk).update(next_attempt_at=timezone.now())
    return run(account.id, job.id)


def ask(account: Account, use: Callable[[ProjectClient, str], Any]) -> Any:
    """What the account's project says, asked with the namespace that serves."""
    with tenant(account):
        generation = serving()
        assert generation is not None
        opened = project()
        client = opened.__enter__()
    try:
        return use(client, generation.namespace)
    finally:
        opened.__exit__(None, None, None)


def found(account: Account, words: str, limit: int = 10) -> list[Hit]:
    def nearest(client: ProjectClient, namespace: str) -> list[Hit]:
        return client.nearest(client.generate([words]).vectors[0], namespace=namespace, limit=limit)

    hits: list[Hit] = ask(account, nearest)
    return hits


def count(account: Account) -> int:
    return int(ask(account, lambda client, namespace: client.vector_statistics(namespace).count))


def states(account: Account) -> list[str]:
    with tenant(account):
        return sorted(IndexedMessage.objects.values_list("state", flat=True))


def test_what_customers_say_is_found_by_meaning(account: Account, say: Say) -> None:
    parcel = say(account, "My parcel has not arrived yet.")
    say(account, "I forgot my password and cannot sign in.")
    assert index(account) == "done"
    assert states(account) == ["indexed", "indexed"]
    best = found(account, "Where is my delivery?")[0]
    with tenant(account):
        assert Message.objects.get(pk=message_id_of(best.id)).conversation_id == parcel.pk
    assert best.metadata == {"conversation": str(parcel.pk)}


def test_no_text_of_it_is_stored_with_the_vectors(account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.")
    index(account)
    assert found(account, "parcel")[0].document == ""
    with platform("look into the server's table in a test"):
        stored = ZeroVector.objects.get()
    assert (stored.document, stored.metadata) == ("", {"conversation": stored.metadata["conversation"]})


def test_private_notes_and_what_happened_stay_out(account: Account, say: Say) -> None:
    conversation = say(account)
    with tenant(account):
        locked = lock_conversation(conversation.pk)
        write_note(locked, "She is the mayor's sister.", actor=SYSTEM, is_private=True)
        write_note(locked, "Ask the depot.", actor=SYSTEM)
    index(account)
    assert states(account) == ["indexed"]


def test_a_long_message_is_found_by_each_of_its_parts_and_leaves_nothing_behind(account: Account, say: Say) -> None:
    filler = "We talked about the weather and about nothing else at all. " * 30
    conversation = say(account, f"{filler} By the way, the boiler in flat four makes a knocking noise.")
    index(account)
    assert count(account) > 1
    hits = found(account, "noisy heating")
    assert hits[0].id.count("-") == 5  # not the first of its passages
    with tenant(account):
        delete_conversation(lock_conversation(conversation.pk), actor=SYSTEM)
    assert states(account) == ["removing"]
    index(account)
    assert (states(account), count(account)) == ([], 0)


def test_erasing_a_contact_takes_their_vectors_along(account: Account, say: Say) -> None:
    conversation = say(account, "My parcel has not arrived yet.")
    index(account)
    with tenant(account):
        delete_contact(Conversation.objects.get(pk=conversation.pk).contact, actor=SYSTEM)
    index(account)
    assert count(account) == 0


def test_nothing_is_lost_or_doubled_while_the_service_is_away(
    account: Account, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(account, "My parcel has not arrived yet.")
    put = ProjectClient.put_vectors

    def lost(self: ProjectClient, *arguments: Any, **options: Any) -> None:
        put(self, *arguments, **options)  # the service did it, and its answer did not come back
        raise NoAnswer("It did not answer.")

    monkeypatch.setattr(ProjectClient, "put_vectors", lost)
    assert index(account) == "queued"
    assert states(account) == ["pending"]
    monkeypatch.setattr(ProjectClient, "put_vectors", put)
    assert index(account) == "done"
    assert (states(account), count(account)) == (["indexed"], 1)


def test_what_kept_it_is_told_no_more_as_soon_as_it_goes_on(
    account: Account, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise NoAnswer("The service is away.")

    def looking(client: ProjectClient, texts: list[str], **options: Any) -> Any:
        with tenant(account):
            told.append(index_progress().problem)
        return generate(client, texts, **options)

    generate, told = ProjectClient.generate, []
    monkeypatch.setattr(running, "BATCH_MESSAGES", 1)
    say(account, "My parcel has not arrived yet.")
    say(account, "I forgot my password.")
    monkeypatch.setattr(ProjectClient, "generate", away)
    index(account)
    monkeypatch.setattr(ProjectClient, "generate", looking)
    assert index(account) == "done"
    assert told == ["The service is away.", ""]


def test_a_conversation_deleted_while_it_is_indexed_leaves_nothing(
    account: Account, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = say(account, "My parcel has not arrived yet.")
    generate = ProjectClient.generate

    def slowly(self: ProjectClient, *arguments: Any, **options: Any) -> Any:
        with tenant(account):
            delete_conversation(lock_conversation(conversation.pk), actor=SYSTEM)
        return generate(self, *arguments, **options)

    monkeypatch.setattr(ProjectClient, "generate", slowly)
    index(account)
    assert (states(account), count(account)) == ([], 0)


def test_a_new_index_is_built_beside_the_old_one_and_takes_over_whole(account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.")
    index(account)
    with tenant(account):
        old = serving()
        new = reindex(actor=SYSTEM, model="sentence-transformers/all-MiniLM-L6-v2")
        assert serving() == old
    say(account, "I forgot my password.")
    index(account)
    with tenant(account):
        generation = serving()
        assert generation == new
        assert generation.model == "sentence-transformers/all-MiniLM-L6-v2"
        assert IndexGeneration.objects.count() == 1
    assert (states(account), count(account)) == (["indexed", "indexed"], 2)
    assert old is not None
    assert ask(account, lambda client, _: client.vector_statistics(old.namespace).count) == 0


def test_a_model_that_is_gone_is_named_and_does_not_hold_up_the_index_that_replaces_its_own(
    account: Account, say: Say
) -> None:
    say(account, "My parcel came damaged and I want my money back.")
    assert index(account) == "done"
    with tenant(account):
        IndexGeneration.objects.update(model="a-model-of-yesterday")
    say(account, "The chair has a broken leg.")
    assert index(account) == "queued"
    with tenant(account):
        job = Job.objects.filter(kind="conversations.index").latest("created_at")
        assert "does not have the embedding model" in job.error and "a-model-of-yesterday" in job.error
        assert reindex(actor=SYSTEM).model == DEFAULT_MODEL.name
    assert index(account) == "done"
    with tenant(account):
        (generation,) = IndexGeneration.objects.all()
        assert generation.model == DEFAULT_MODEL.name
        assert not IndexedMessage.objects.exclude(state=IndexedMessage.State.INDEXED).exists()
    found = by_key(account).post("conversations/search", {"query": "broken furniture", "mode": "meaning"})
    assert len(found.json["results"]) == 2


def test_a_rebuild_that_is_begun_again_gives_the_first_one_up(account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.")
    with tenant(account):
        reindex(actor=SYSTEM)
        last = reindex(actor=SYSTEM)
    index(account)
    with tenant(account):
        assert serving() == last
        assert IndexGeneration.objects.count() == 1
    assert count(account) == 1


def switch(account: Account, *, on: bool) -> None:
    body = {"features": [{"name": "semantic_search", "enabled": on}]}
    assert by_key(account, Role.OWNER).patch("account/features", body).status == 200


def test_what_was_said_while_search_was_off_is_caught_up_with(account: Account, say: Say) -> None:
    say(account, "Good morning.")
    index(account)
    switch(account, on=False)
    say(account, "My parcel has not arrived yet.", "Hello?")
    index(account)
    assert states(account) == ["indexed"]
    switch(account, on=True)
    assert work_off(account, "conversations.index") == ["done"]
    assert states(account) == ["indexed"] * 3


def test_what_was_said_before_there_was_an_index_is_caught_up_with(account: Account, say: Say) -> None:
    switch(account, on=False)
    say(account, "My parcel has not arrived yet.")
    switch(account, on=True)
    say(account, "Hello?")
    index(account)
    assert states(account) == ["indexed", "indexed"]


def test_many_messages_are_planned_piece_by_piece(account: Account, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.chat.indexing.generations.PLANNED_AT_ONCE", 2)
    say(account, *(f"Message number {number}" for number in range(5)))
    with tenant(account):
        reindex(actor=SYSTEM)
    index(account)
    assert states(account) == ["indexed"] * 5


def test_the_sweep_finds_who_has_something_to_index(account: Account, say: Say) -> None:
    other = make_account()
    assert sweep() == 0
    say(account, "My parcel has not arrived yet.")
    assert sweep() == 1
    assert sweep() == 1  # in line already: one job
    with tenant(account):
        assert Job.objects.filter(kind="conversations.index").count() == 1
    with tenant(other):
        assert not Job.objects.filter(kind="conversations.index").exists()


def test_without_a_project_it_waits(say: Say) -> None:
    account = make_account()
    say(account, "My parcel has not arrived yet.")
    assert index(account) == "queued"
    with tenant(account):
        assert "not ready" in Job.objects.get(kind="conversations.index").error
    assert states(account) == ["pending"]


def test_another_accounts_index_holds_nothing_of_it(account: Account, say: Say) -> None:
    other = make_account()
    work_off(other, "project.provision")
    say(account, "My parcel has not arrived yet.")
    say(other, "The weather is fine.")
    index(account)
    index(other)
    assert len(found(other, "parcel")) == 1
    with tenant(other):
        assert message_id_of(found(other, "parcel")[0].id) == Message.objects.get().pk
