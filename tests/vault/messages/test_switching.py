"""Word search per account: switched off it leaves nothing and says so; switched on or re-keyed it is rebuilt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from apps.accounts.actors import Actor
from apps.accounts.jobs import running
from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.messages import SearchIsOff, change_setting, current_setting, rebuild, rebuilding, search, store_content
from apps.vault.messages.setting import REBUILD, setting_to_write_by
from apps.vault.models import AuditEntry
from tests.factories import Cast
from tests.vault.messages.letters.models import Letter, LetterWord
from tests.vault.messages.writing import everything, rotate_index_key, write
from tests.working import work_off

pytestmark = [pytest.mark.covers("V-03"), pytest.mark.django_db(transaction=True)]


def acting(cast: Cast, role: Role = Role.OWNER) -> Actor:
    user = cast.members[role]
    return Actor("user", user.id, user.email, role, user.id)


def switch(cast: Cast, **setting: Any) -> Job:
    """Change the setting and let the worker do what follows."""
    with tenant(cast.account):
        job = change_setting(actor=acting(cast), **setting)
    assert job is not None
    assert work_off(cast.account, REBUILD) == [Job.Status.DONE]
    with tenant(cast.account):
        return Job.objects.get(pk=job.pk)


class TestOff:
    def test_it_deletes_the_words_and_says_why_nothing_is_found(self, cast: Cast) -> None:
        with tenant(cast.account):
            ids = write("an invoice", "another invoice")
        switch(cast, enabled=False)
        with tenant(cast.account):
            assert not LetterWord.objects.exists()
            assert not Letter.objects.exclude(words=None).exists()
            with pytest.raises(SearchIsOff):
                search(Letter, "invoice")
            assert Letter.objects.get(pk=ids[0]).content == "an invoice"

    def test_what_is_written_meanwhile_leaves_no_words(self, cast: Cast) -> None:
        switch(cast, enabled=False)
        with tenant(cast.account):
            write("an invoice")
            assert not LetterWord.objects.exists()

    def test_other_accounts_keep_theirs(self, cast: Cast) -> None:
        with tenant(cast.stranger_account):
            [theirs] = write("their invoice")
        switch(cast, enabled=False)
        with tenant(cast.stranger_account):
            assert everything("invoice") == [theirs]

    def test_it_waits_for_who_is_writing_words(self, cast: Cast) -> None:
        """Whoever read "on" commits before the switch; whoever comes after reads "off"."""
        order: list[str] = []

        def throw() -> None:
            with tenant(cast.account):
                change_setting(actor=acting(cast), enabled=False)
            order.append("switched")
            connection.close()

        thread = threading.Thread(target=throw)
        with tenant(cast.account):
            assert setting_to_write_by().enabled
            thread.start()
            thread.join(0.5)
            write("an invoice")
            order.append("written")
        thread.join()
        assert order == ["written", "switched"]
        work_off(cast.account, REBUILD)
        with tenant(cast.account):
            assert not LetterWord.objects.exists()


class TestOn:
    def test_it_rebuilds_with_progress(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rebuilding, "CHUNK", 2)
        switch(cast, enabled=False)
        with tenant(cast.account):
            ids = write(*["an invoice"] * 5)
            hidden = Letter()
            store_content(hidden, "a private invoice", searchable=False)
            change_setting(actor=acting(cast), enabled=True)
            assert current_setting().building
            assert search(Letter, "invoice").building
        work_off(cast.account, REBUILD)
        with tenant(cast.account):
            assert everything("invoice") == ids[::-1]
            assert not search(Letter, "invoice").building
            job = Job.objects.filter(kind=REBUILD).latest("created_at")
        assert (job.done, job.total) == (5, 5)
        assert job.result == {"messages": 5, "changed": 5}

    def test_an_interrupted_rebuild_goes_on_where_it_stopped(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rebuilding, "CHUNK", 2)
        switch(cast, enabled=False)
        with tenant(cast.account):
            ids = write(*["an invoice"] * 6)
            change_setting(actor=acting(cast), enabled=True)
        chunk, looks = rebuilding._chunk, 0

        def breaking(*args: Any) -> Any:
            nonlocal looks
            looks += 1
            if looks == 3:
                raise OSError("the worker is gone")
            return chunk(*args)

        monkeypatch.setattr(rebuilding, "_chunk", breaking)
        assert work_off(cast.account, REBUILD) == [Job.Status.QUEUED]
        with tenant(cast.account):
            assert LetterWord.objects.values("message_id").distinct().count() == 2
        assert work_off(cast.account, REBUILD) == [Job.Status.DONE]
        assert looks == 3 + 3  # messages of the first model not again, two chunks of letters, and an empty one
        with tenant(cast.account):
            assert everything("invoice") == ids[::-1]
            assert Job.objects.filter(kind=REBUILD).latest("created_at").result == {"messages": 6, "changed": 6}

    def test_a_rebuild_without_need_changes_nothing(self, cast: Cast) -> None:
        with tenant(cast.account):
            write("an invoice")
            rebuild(actor=acting(cast))
        work_off(cast.account, REBUILD)
        with tenant(cast.account):
            assert Job.objects.get(kind=REBUILD).result == {"messages": 1, "changed": 0}

    def test_the_same_setting_again_is_no_change(self, cast: Cast) -> None:
        with tenant(cast.account):
            assert change_setting(actor=acting(cast), enabled=True, language="english") is None


class TestLanguage:
    def test_another_language_has_other_endings(self, cast: Cast) -> None:
        with tenant(cast.account):
            [letter] = write("Die Rechnungen kamen")
            assert everything("Rechnung") == []
        switch(cast, language="german")
        with tenant(cast.account):
            assert everything("Rechnung") == [letter]

    def test_an_unknown_one_is_refused(self, cast: Cast) -> None:
        with tenant(cast.account), pytest.raises(ValidationError) as refusal:
            change_setting(actor=acting(cast), language="klingon")
        assert list(refusal.value.message_dict) == ["language"]


class TestWho:
    @pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
    @pytest.mark.parametrize(
        "change", [lambda actor: change_setting(actor=actor, enabled=False), lambda actor: rebuild(actor=actor)]
    )
    def test_only_admins_may(self, cast: Cast, role: Role, change: Callable[..., Any]) -> None:
        with tenant(cast.account), pytest.raises(PermissionDenied):
            change(acting(cast, role))

    def test_it_stands_in_the_trail(self, cast: Cast) -> None:
        switch(cast, enabled=False)
        with tenant(cast.account):
            assert AuditEntry.objects.filter(action="messages.search_changed").count() == 1


@pytest.mark.covers("X-01")
def test_a_rebuild_after_a_rotation_leaves_no_word_under_the_old_key(cast: Cast) -> None:
    with tenant(cast.account):
        ids = write("an invoice of may", "an invoice of june")
        before = set(LetterWord.objects.values_list("word", flat=True))
        rotate_index_key(cast.account.id)
        rebuild(actor=acting(cast))
        assert everything("invoice") == ids[::-1]
    [status] = work_off(cast.account, REBUILD)
    assert status == Job.Status.DONE
    with tenant(cast.account):
        after = set(LetterWord.objects.values_list("word", flat=True))
        assert len(after) == len(before)
        assert not after & before
        assert everything("invoice") == ids[::-1]
        assert everything("invoice june") == [ids[1]]


def test_the_jobs_handler_is_known() -> None:
    assert running.kind_of(REBUILD).label == "search words of messages"
