"""What this floor adds to the page "AI features": how far the index is, word search, what is remembered."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing import changes
from apps.chat.indexing.reindexing import KIND, queue_indexing
from apps.chat.indexing.sweeping import sweep
from apps.chat.models import IndexGeneration, Message, MessageWord
from apps.chat.services.memories import remember
from apps.integrations.models import AINativeProject
from apps.integrations.outbound.errors import NoAnswer
from apps.integrations.zerodb.client import ProjectClient
from apps.vault.messages import current_setting, search
from apps.vault.messages.setting import REBUILD
from tests.accounts.features.conftest import switch
from tests.api_client import by_key
from tests.chat.conftest import SYSTEM, Say
from tests.factories import add_member
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-05", "P-06", "P-12")]
PART = {"HX-Request": "true"}
As = Callable[[Role], Client]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "DEBOUNCE", timedelta(0))


@pytest.fixture
def sign_in(account: Account) -> As:
    """A browser of a member of this role."""

    def client_of(role: Role) -> Client:
        with tenant(account):
            found = Membership.objects.filter(role=role).first()
        member = found or add_member(account, role)
        client = Client()
        client.force_login(member.user)
        return client

    return client_of


def index(account: Account) -> str:
    with tenant(account):
        job = queue_indexing(SYSTEM)
        Job.objects.filter(pk=job.pk).update(next_attempt_at=timezone.now())
    return run(account.id, job.id)


def plain(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


class TestTheIndex:
    def test_progress_is_shown_until_all_is_in_and_then_nobody_asks_any_more(
        self, account: Account, say: Say, sign_in: As
    ) -> None:
        base = f"/app/{account.slug}/ai/"
        viewer = sign_in(Role.VIEWER)
        assert "a moment after they were said" in plain(viewer.get(base))
        say(account, "My parcel is late.", "Where is it?")
        going = viewer.get(f"{base}index/", headers=PART)
        assert "0 of 2 messages indexed" in plain(going)
        assert going.status_code == 200 and "every 2s" in going.content.decode()
        index(account)
        done = viewer.get(f"{base}index/", headers=PART)
        assert "2 of 2 messages indexed" in plain(done) and "Up to date" in plain(done)
        assert done.status_code == 286 and "every 2s" not in done.content.decode()
        assert "Rebuild" not in plain(viewer.get(base)), "a viewer changes nothing"

    def test_an_admin_is_asked_and_builds_it_anew_by_the_chosen_model(
        self, account: Account, say: Say, sign_in: As
    ) -> None:
        say(account, "My parcel is late.")
        index(account)
        with tenant(account):
            project = AINativeProject.objects.get()
            project.settings = {**project.settings, "embeddings_model": "sentence-transformers/all-MiniLM-L12-v2"}
            project.save()
        base, admin = f"/app/{account.slug}/ai/", sign_in(Role.ADMIN)
        assert "Another model was chosen" in plain(admin.get(base))
        asked = plain(admin.get(f"{base}index/rebuild/", headers=PART))
        assert (
            "Build the index anew?" in asked
            and "all-MiniLM-L12-v2" in asked
            and "The one message is read again" in asked
        )
        assert admin.post(f"{base}index/rebuild/").status_code == 302
        assert "Re-indexing" in plain(admin.get(base))
        assert "Search works meanwhile" in plain(admin.get(base))
        index(account)
        assert "model sentence-transformers/all-MiniLM-L12-v2" in plain(admin.get(f"{base}index/", headers=PART))
        assert "Another model was chosen" not in plain(admin.get(base))
        with tenant(account):
            assert IndexGeneration.objects.get().model.endswith("L12-v2")

    def test_an_outage_is_told_in_words_with_a_button_that_tries_now(
        self, account: Account, say: Say, sign_in: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(account, "My parcel is late.")
        with monkeypatch.context() as patch:
            patch.setattr(ProjectClient, "generate", _away)
            assert index(account) == "queued"
        base = f"/app/{account.slug}/ai/"
        member = plain(sign_in(Role.MEMBER).get(base))
        assert "The AI service does not answer." in member and "The next try comes by itself" in member
        assert "Try now" not in member
        admin = sign_in(Role.ADMIN)
        assert "Try now" in plain(admin.get(base))
        with tenant(account):
            Job.objects.filter(kind=KIND).update(next_attempt_at=timezone.now() + timedelta(days=1))
        admin.post(f"{base}index/go-on/")
        with tenant(account):
            assert Job.objects.get(kind=KIND, status="queued").next_attempt_at <= timezone.now()
        assert work_off(account, KIND) == ["done"]
        assert "1 of 1 message indexed" in plain(admin.get(base))

    def test_what_was_given_up_says_so_and_can_be_begun_again(self, account: Account, say: Say, sign_in: As) -> None:
        say(account, "My parcel is late.")
        with tenant(account):
            job = queue_indexing(SYSTEM)
            Job.objects.filter(pk=job.pk).update(status="failed", error="The project is gone from the AI service.")
        base, admin = f"/app/{account.slug}/ai/", sign_in(Role.ADMIN)
        page = admin.get(f"{base}index/", headers=PART)
        assert page.status_code == 286
        assert "The project is gone from the AI service." in plain(page) and "Try again" in plain(page)
        assert admin.post(f"{base}index/go-on/").status_code == 302
        assert work_off(account, KIND) == ["done"]

    def test_while_search_is_off_it_says_what_keeps_messages_out(self, account: Account, say: Say, sign_in: As) -> None:
        say(account, "My parcel is late.")
        switch(account, "semantic_search", False)
        page = plain(sign_in(Role.OWNER).get(f"/app/{account.slug}/ai/"))
        assert "Paused" in page and "Semantic search is off, so new messages stay out of the index." in page
        switch(account, "semantic_search", True)
        with tenant(account):
            project = AINativeProject.objects.get()
            project.settings = {**project.settings, "auto_indexing": False}
            project.save()
        assert "New messages are not indexed automatically" in plain(
            sign_in(Role.OWNER).get(f"/app/{account.slug}/ai/")
        )

    @pytest.mark.covers("A-11")
    def test_while_search_is_off_nobody_builds_it_anew(self, account: Account, say: Say, sign_in: As) -> None:
        say(account, "My parcel is late.")
        index(account)
        base, admin, api = f"/app/{account.slug}/ai/", sign_in(Role.ADMIN), by_key(account, Role.ADMIN)
        assert "Rebuild…" in plain(admin.get(base))
        switch(account, "semantic_search", False)
        assert "Rebuild…" not in plain(admin.get(base))
        assert admin.get(f"{base}index/rebuild/").status_code == 409
        refused = admin.post(f"{base}index/rebuild/")
        assert refused.status_code == 409 and "Semantic search is switched off" in plain(refused)
        answer = api.post("conversations/index/rebuild", {})
        assert (answer.status, answer.json["code"], answer.json["feature"]) == (409, "feature_off", "semantic_search")
        with tenant(account):
            assert IndexGeneration.objects.count() == 1

    def test_where_nothing_is_indexed_by_itself_an_index_is_built_whole_when_it_is_asked_for(
        self, account: Account, say: Say, sign_in: As
    ) -> None:
        say(account, "My parcel is late.")
        index(account)
        with tenant(account):
            project = AINativeProject.objects.get()
            project.settings = {**project.settings, "auto_indexing": False}
            project.save()
        say(account, "Where is my refund?")
        index(account)
        assert by_key(account, Role.ADMIN).get("conversations/index").json["indexed"] == 1
        assert sign_in(Role.ADMIN).post(f"/app/{account.slug}/ai/index/rebuild/").status_code == 302
        say(account, "Hello?")
        assert sweep() == 1
        assert work_off(account, KIND) == ["done"]
        read = by_key(account, Role.ADMIN).get("conversations/index").json
        assert (read["indexed"], read["total"], read["is_rebuilding"], read["is_paused"]) == (3, 3, False, True)

    @pytest.mark.covers("A-10")
    def test_the_same_is_read_and_begun_through_the_api(self, account: Account, say: Say) -> None:
        say(account, "My parcel is late.")
        index(account)
        api = by_key(account, Role.ADMIN)
        read = api.get("conversations/index").json
        assert (read["indexed"], read["total"], read["is_rebuilding"], read["is_paused"]) == (1, 1, False, False)
        assert read["problem"] == "" and read["model"] == read["chosen_model"]
        assert api.post("conversations/index/rebuild", {"model": "gpt-99"}).faults == {"model": "invalid"}
        begun = api.post("conversations/index/rebuild", {"model": "sentence-transformers/all-MiniLM-L12-v2"})
        assert begun.status == 202 and begun.json["kind"] == KIND
        assert api.get("conversations/index").json["is_rebuilding"]
        assert by_key(account, Role.VIEWER).post("conversations/index/rebuild", {}).status == 403


@pytest.mark.covers("V-03", "V-09")
class TestWordSearch:
    def test_off_deletes_the_numbers_and_on_in_another_language_finds_its_endings(
        self, account: Account, say: Say, sign_in: As
    ) -> None:
        say(account, "Die Rechnungen fehlen.")
        base, owner = f"/app/{account.slug}/ai/", sign_in(Role.OWNER)
        assert "What the numbers give away" in plain(owner.get(base))
        owner.post(f"{base}words/", {"language": "english"})
        going = owner.get(f"{base}words/", headers=PART)
        assert going.status_code == 200 and "Being deleted" in plain(going)
        assert work_off(account, REBUILD) == ["done"]
        ended = owner.get(f"{base}words/", headers=PART)
        assert ended.status_code == 286 and "Nothing is kept to find messages by." in plain(ended)
        with tenant(account):
            assert not MessageWord.objects.exists()
        owner.post(f"{base}words/", {"enabled": "on", "language": "german"})
        assert work_off(account, REBUILD) == ["done"]
        assert "endings as in German" in plain(owner.get(base))
        with tenant(account):
            assert [hit.content for hit in search(Message, "rechnung").hits] == ["Die Rechnungen fehlen."]

    def test_others_read_how_it_stands_and_change_nothing(self, account: Account, sign_in: As) -> None:
        base, viewer = f"/app/{account.slug}/ai/", sign_in(Role.VIEWER)
        page = plain(viewer.get(base))
        assert "Messages are found by their words, endings as in English." in page
        assert "Save word search" not in page
        assert viewer.post(f"{base}words/", {"language": "english"}).status_code == 403
        with tenant(account):
            assert current_setting().enabled

    def test_an_unknown_language_is_refused_and_a_failure_can_be_tried_again(
        self, account: Account, say: Say, sign_in: As
    ) -> None:
        say(account, "An invoice.")
        base, admin = f"/app/{account.slug}/ai/", sign_in(Role.ADMIN)
        assert admin.post(f"{base}words/", {"enabled": "on", "language": "klingon"}, headers=PART).status_code == 422
        assert admin.post(f"{base}words/", {"enabled": "on", "language": "klingon"}).status_code == 422
        admin.post(f"{base}words/", {"language": "english"})
        with tenant(account):
            Job.objects.filter(kind=REBUILD).update(status="failed", error="The worker was lost each time.")
        page = plain(admin.get(base))
        assert "The worker was lost each time." in page and "Try again" in page
        admin.post(f"{base}words/again/")
        assert work_off(account, REBUILD) == ["done"]
        with tenant(account):
            assert not MessageWord.objects.exists()

    def test_it_stands_there_while_there_is_no_ai_project(self, account: Account, sign_in: As) -> None:
        with tenant(account):
            AINativeProject.objects.update(status=AINativeProject.Status.PENDING)
        page = plain(sign_in(Role.OWNER).get(f"/app/{account.slug}/ai/"))
        assert "Search by words" in page and "Index of conversations" not in page

    @pytest.mark.covers("A-10")
    def test_the_same_through_the_api(self, account: Account, say: Say) -> None:
        say(account, "An invoice.")
        api = by_key(account, Role.ADMIN)
        assert api.get("conversations/word-search").json == {
            "enabled": True,
            "language": "english",
            "building": False,
        }
        assert api.patch("conversations/word-search", {"enabled": False}).json["building"]
        assert work_off(account, REBUILD) == ["done"]
        found = api.post("conversations/search", {"query": "invoice", "mode": "words"}).json
        assert found["results"] == [] and "off" in found["notices"][0]
        assert api.patch("conversations/word-search", {"language": "klingon"}).faults == {"language": "invalid_choice"}
        assert by_key(account, Role.MEMBER).patch("conversations/word-search", {"enabled": True}).status == 403


def test_the_card_of_memory_counts_what_is_kept(account: Account, say: Say, sign_in: As) -> None:
    base, viewer = f"/app/{account.slug}/ai/", sign_in(Role.VIEWER)
    assert "Nothing remembered yet" in plain(viewer.get(base))
    with tenant(account):
        for contact in {say(account).contact, say(account).contact}:
            remember(contact, actor=SYSTEM, content="Prefers the phone.")
            remember(contact, actor=SYSTEM, content="Has a dog.")
    assert "4 facts about 2 contacts, 4 new this month" in plain(viewer.get(base))
    switch(account, "agent_memory", False)
    assert "Off, by your account’s choice. 4 facts about 2 contacts" in plain(viewer.get(base))


def _away(*_: Any, **__: Any) -> Any:
    raise NoAnswer("The AI service does not answer.")
