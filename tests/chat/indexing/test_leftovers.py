"""Vectors that nothing needs are found, priced in a suggestion, and removed when the index is built anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.cache import cache

from apps.accounts.metering.estimating import estimate
from apps.accounts.metering.suggesting import Suggestion
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import current_account_id, platform, tenant
from apps.chat.indexing import changes, leftovers, running
from apps.chat.indexing.reindexing import KIND, queue_indexing, reindex
from apps.chat.models import Conversation, IndexedMessage, IndexGeneration
from apps.integrations.models import AINativeProject, ZeroVector
from apps.integrations.zerodb import holdings
from apps.integrations.zerodb.client import ProjectClient
from apps.integrations.zerodb.server.store.vectors import NewVector, store_vectors
from apps.integrations.zerodb.server.walls import project as project_scope
from apps.integrations.zerodb.usage import month_of_use
from tests.chat.conftest import SYSTEM, Say
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-08", "P-12")]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "DEBOUNCE", timedelta(0))


def index(account: Account) -> None:
    with tenant(account):
        queue_indexing(SYSTEM)
    assert work_off(account, KIND) == ["done"]


def suggested(account: Account) -> list[Suggestion]:
    cache.clear()
    with tenant(account):
        made = estimate(account.id, datetime.now(UTC))
    assert made is not None
    return list(made.suggestions)


def vectors() -> set[tuple[str, str]]:
    with platform("look into the server's table in a test"):
        return set(ZeroVector.objects.values_list("namespace", "external_id"))


def lose_rows(account: Account, conversation: Conversation) -> None:
    """As after a restore: the conversation is gone, and nobody knows of its vectors any more."""
    with tenant(account):
        Conversation.objects.get(pk=conversation.pk).delete()
        IndexedMessage.objects.filter(conversation_id=conversation.pk).delete()


def test_what_serves_is_no_waste(account: Account, say: Say) -> None:
    say(account, "My parcel is late.", "The boiler knocks.")
    index(account)
    assert len(vectors()) == 2
    assert suggested(account) == []


def test_vectors_of_deleted_conversations_are_named_with_what_they_cost(account: Account, say: Say) -> None:
    say(account, "My parcel is late.")
    gone = say(account, "The boiler knocks.", "Is anybody there?")
    index(account)
    lose_rows(account, gone)
    (one,) = suggested(account)
    assert (one.kind, one.count, one.saving) == ("gone", 2, Decimal("0.002"))
    assert one.words == "2 vectors have been made of something that is gone"
    assert "Rebuild the index" in one.todo


def test_vectors_of_an_index_that_is_not_in_use_any_more_are_named(account: Account, say: Say) -> None:
    say(account, "My parcel is late.")
    index(account)
    with tenant(account):
        reindex(actor=SYSTEM)
        IndexGeneration.objects.get(status="serving").delete()
    (one,) = suggested(account)
    assert (one.kind, one.count) == ("gone", 1)


def test_building_the_index_anew_removes_them_and_nothing_else(account: Account, say: Say) -> None:
    kept = say(account, "My parcel is late.")
    gone = say(account, "The boiler knocks.")
    index(account)
    lose_rows(account, gone)
    with tenant(account):
        project = UUID(AINativeProject.objects.get().project_id)
    with project_scope(project):
        # A program's own, beside ours and in a namespace that only looks like ours.
        store_vectors("conversations-1", [NewVector("note", [1.0] * 384)], overwrite=True)
        store_vectors("conversations-of-ours", [NewVector(str(gone.pk), [1.0] * 384)], overwrite=True)
    with tenant(account):
        reindex(actor=SYSTEM)
    assert work_off(account, leftovers.KIND) == ["done"]
    assert work_off(account, KIND) == ["done"]
    with tenant(account):
        (message,) = kept.messages.values_list("id", flat=True)
        assert Job.objects.get(kind=leftovers.KIND).result == {"removed": 1}
    assert vectors() == {
        ("conversations-2", str(message)),
        ("conversations-1", "note"),
        ("conversations-of-ours", str(gone.pk)),
    }
    assert suggested(account) == []


def held(account: Account) -> tuple[int, int]:
    """Vectors that the account is charged for, and those that lie at the service."""
    cache.clear()
    with tenant(account):
        found = holdings.read(account.id)
    assert found is not None
    return found.vectors, len(vectors())


def test_while_an_index_is_built_anew_its_vectors_are_charged_once(
    account: Account, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(account, "My parcel is late.", "The boiler knocks.")
    index(account)
    assert held(account) == (2, 2)
    seen = []
    cut_over, delete = running.cut_over, ProjectClient.delete_vectors
    monkeypatch.setattr(running, "cut_over", lambda one: (seen.append(_there()), cut_over(one)))
    monkeypatch.setattr(
        ProjectClient, "delete_vectors", lambda *a, **named: (seen.append(held(account)), delete(*a, **named))
    )
    with tenant(account):
        reindex(actor=SYSTEM)
    assert work_off(account, KIND) == ["done"]
    assert seen == [(2, 4), (2, 4)], "before and after the new one takes over"
    assert held(account) == (2, 2)
    with tenant(account):
        assert month_of_use(datetime.now(UTC)).vectors == 2


def _there() -> tuple[int, int]:
    """As ``held``, in the scope of somebody else."""
    account_id = current_account_id()
    assert account_id is not None
    cache.clear()
    found = holdings.read(account_id)
    assert found is not None
    with project_scope(UUID(AINativeProject.objects.get().project_id)):
        return found.vectors, ZeroVector.objects.count()


def test_what_is_indexed_for_the_first_time_is_in_the_ledger_at_once(account: Account, say: Say) -> None:
    say(account, "My parcel is late.", "The boiler knocks.")
    index(account)
    with tenant(account):
        assert month_of_use(datetime.now(UTC)).vectors == 2
