"""``manage.py reindex``."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.jobs.running import run
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.generations import serving
from apps.chat.indexing.progress import index_progress
from apps.chat.management.commands import reindex as command
from apps.chat.services.conversations import change_conversation, lock_conversation
from apps.chat.services.messages import write_note
from tests.chat.conftest import SYSTEM, Say
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-12")]


def reindex(*arguments: str) -> str:
    out = StringIO()
    call_command("reindex", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_it_builds_the_index_and_says_how_far_it_is(account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.", "Hello?")
    assert "2 messages would be indexed" in reindex("--account", account.slug, "--dry-run")
    with tenant(account):
        assert index_progress().indexed == 0
    assert f"{account.slug}: 2 of 2 messages indexed" in reindex("--account", account.slug, "--rate", "1000")
    with tenant(account):
        progress = index_progress()
    assert (progress.indexed, progress.vectors, progress.percent, progress.is_complete) == (2, 2, 100, True)


def test_a_job_that_a_worker_is_just_about_to_take_is_waited_for(
    account: Account, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_elsewhere_at_first(*arguments: Any, **options: Any) -> str:
        asked.append(arguments)
        return "not due" if len(asked) == 1 else run(*arguments, **options)

    asked: list[Any] = []
    monkeypatch.setattr(command, "run", taken_elsewhere_at_first)
    say(account, "My parcel has not arrived yet.")
    assert "1 of 1 are built." in reindex("--account", account.slug, "--feature", "conversations")
    assert len(asked) == 2


def test_a_dry_run_counts_what_is_indexed_of_an_account_named_by_its_id(account: Account, say: Say) -> None:
    talk = say(account, "My parcel has not arrived yet.")
    with tenant(account):
        held = lock_conversation(talk.pk)
        write_note(held, "It went to the mayor.", actor=SYSTEM, is_private=True)
        change_conversation(held, actor=SYSTEM, status="resolved")
    assert f"{account.slug}: 1 messages would be indexed" in reindex("--account", str(account.pk), "--dry-run")
    with pytest.raises(CommandError, match=str(talk.pk)):
        reindex("--account", str(talk.pk), "--account", account.slug)


def test_on_a_terminal_it_says_how_far_it_is_while_it_works(
    account: Account, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(account, *(f"Message {n} about a parcel." for n in range(80)))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    shown = reindex("--account", account.slug, "--rate", "40", "--feature", "conversations").split("\r")
    assert shown[-1].startswith(f"{account.slug}: 80 of 80 messages indexed")
    assert any(0 < int(words.split(": ")[1].split(" of ")[0]) < 80 for words in shown[1:-1])


def test_it_names_what_it_does_not_know(account: Account) -> None:
    with pytest.raises(CommandError, match="nobody"):
        reindex("--account", "nobody")
    with pytest.raises(CommandError, match="not supported"):
        reindex("--account", account.slug, "--model", "word2vec")
    with pytest.raises(CommandError, match="above 0"):
        reindex("--rate", "0")
    with pytest.raises(CommandError, match="'word_search' keeps no vectors"):
        reindex("--feature", "word_search")
    with pytest.raises(CommandError, match="--model is for the index of conversations alone"):
        reindex("--feature", "suggestions", "--model", "sentence-transformers/all-MiniLM-L6-v2")


def test_what_was_stopped_is_continued(account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.")
    reindex("--account", account.slug)
    with tenant(account):
        before = serving()
    say(account, "Hello?")
    assert "2 of 2" in reindex("--account", account.slug, "--continue")
    with tenant(account):
        assert serving() == before


def test_it_does_not_wait_until_workers_have_done_what_others_wait_for(account: Account, say: Say) -> None:
    make_account("Waits for its project")
    say(account, "My parcel has not arrived yet.")
    assert "1 of 1 messages indexed" in reindex("--account", account.slug)
