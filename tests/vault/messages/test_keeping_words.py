"""The rows of the table of words are the unfolded ``words`` of the messages, whoever writes them and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.scope import tenant
from tests.factories import Cast
from tests.vault.messages.letters.models import Letter, LetterWord

pytestmark = [pytest.mark.covers("V-03"), pytest.mark.django_db]


@pytest.fixture
def _inside(cast: Cast) -> Iterator[None]:
    with tenant(cast.account):
        yield


def letter(words: list[int] | None, text: str = "Dear Ann") -> Letter:
    made = Letter()
    made.take_content(text, words)
    return made


def kept(message: Any) -> set[int]:
    return set(LetterWord.objects.filter(message_id=message.pk).values_list("word", flat=True))


@pytest.mark.usefixtures("_inside")
class TestWordsFollow:
    def test_a_saved_message_has_its_words(self) -> None:
        made = letter([1, -2])
        made.save()
        assert kept(made) == {1, -2}

    def test_messages_saved_in_bulk_have_theirs(self) -> None:
        made = Letter.objects.bulk_create([letter([1, 2]), letter([2, 3]), letter(None)])
        assert [kept(each) for each in made] == [{1, 2}, {2, 3}, set()]

    def test_a_changed_text_changes_them(self) -> None:
        made = letter([1, 2])
        made.save()
        made.take_content("Dear Ben", [2, 3])
        made.save()
        assert kept(made) == {2, 3}

    def test_a_text_set_without_words_is_not_found_by_those_it_has_lost(self) -> None:
        made = letter([1, 2])
        made.save()
        again = Letter.objects.get(pk=made.pk)
        again.content = "Dear Ben"
        again.save()
        assert Letter.objects.get(pk=made.pk).words is None
        assert kept(made) == set()

    def test_saving_what_was_only_read_keeps_them(self) -> None:
        made = letter([1, 2])
        made.save()
        again = Letter.objects.get(pk=made.pk)
        again.folder = "out"
        again.save()
        assert kept(made) == {1, 2}
        again = Letter.objects.get(pk=made.pk)
        assert again.content == "Dear Ann"
        again.save()
        assert kept(made) == {1, 2}

    def test_a_deleted_message_leaves_none(self) -> None:
        made = letter([1, 2])
        made.save()
        other = letter([1])
        other.save()
        Letter.objects.filter(pk=made.pk).delete()
        assert kept(made) == set()
        assert kept(other) == {1}

    def test_nor_does_one_deleted_by_hand(self) -> None:
        made = letter([1, 2])
        made.save()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM letters_letter WHERE id = %s", [made.pk])
        assert not LetterWord.objects.exists()


def test_words_of_another_account_are_out_of_reach(cast: Cast) -> None:
    with tenant(cast.account):
        made = letter([1])
        made.save()
    with tenant(cast.stranger_account), connection.cursor() as cursor:
        assert kept(made) == set()
        cursor.execute("SELECT count(*) FROM letters_letterword")
        assert cursor.fetchone() == (0,)
        letter([1]).save()
        cursor.execute("DELETE FROM letters_letterword")
        assert cursor.rowcount == 1
    with tenant(cast.account):
        assert kept(made) == {1}


def test_a_row_for_another_account_is_refused(cast: Cast) -> None:
    with tenant(cast.account), connection.cursor() as cursor, pytest.raises(ProgrammingError), transaction.atomic():
        cursor.execute("INSERT INTO letters_letterword VALUES (1, %s, %s)", [uuid7(), cast.stranger_account.id])
