"""Which messages hold some of the words of a question."""

from __future__ import annotations

import math
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import NoScope, tenant
from apps.vault.messages import SearchIsOff, change_setting, fill_contents, holding
from apps.vault.messages.holding import Holding, held_words
from tests.factories import Cast
from tests.vault.messages.letters.models import Letter

pytestmark = [pytest.mark.covers("V-03"), pytest.mark.django_db]


@pytest.fixture
def _inside(cast: Cast) -> Iterator[None]:
    with tenant(cast.account):
        yield


def write(*texts: str) -> list[UUID]:
    letters = [Letter(folder="in") for _ in texts]
    fill_contents(zip(letters, texts, strict=True))
    Letter.objects.bulk_create(letters)
    return [letter.pk for letter in letters]


def rare(count: int, messages: int) -> float:
    return math.log((messages + 1) / (count + 0.5))


def ask(question: str, limit: int = 10) -> Holding:
    return held_words(Letter, question, weight=rare, limit=limit)


@pytest.mark.usefixtures("_inside")
def test_a_message_is_found_by_any_of_the_words_and_the_rarest_come_first() -> None:
    plain, both, odd, _ = write("The invoice came.", "An invoice for a zeppelin.", "One zeppelin!", "Nothing.")
    write(*["invoice again"] * 5)
    found = ask("Where are my zeppelin invoices?")
    assert list(found.held)[:2] == [both, odd]
    assert found.held[both] == ["zeppelin", "invoic"]
    assert found.held[plain] == ["invoic"]
    assert found.asked == ("zeppelin", "invoic")
    assert found.frequencies == {"zeppelin": 2, "invoic": 7}
    assert found.messages == 9


@pytest.mark.usefixtures("_inside")
def test_equal_messages_come_newest_first_and_up_to_the_limit() -> None:
    ids = write("parcel one", "parcel two", "parcel three")
    assert list(ask("parcel").held) == ids[::-1]
    assert list(ask("parcel", limit=2).held) == ids[:0:-1]


@pytest.mark.usefixtures("_inside")
def test_common_words_are_only_asked_of_what_rarer_ones_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MOST_FOLLOWED", 3)
    both, _, lone = write("parcel lost", "lost", "parcel")
    write(*["lost again"] * 4)
    found = ask("lost parcel")
    assert dict(found.held) == {both: ["parcel", "lost"], lone: ["parcel"]}


@pytest.mark.usefixtures("_inside")
def test_a_question_without_words_finds_nothing() -> None:
    write("to be or not to be")
    for question in ("", "to be", "?!"):
        assert ask(question).held == {}


@pytest.mark.usefixtures("_inside")
def test_scripts_without_spaces_are_asked_by_pairs_of_letters() -> None:
    (tokyo,) = write("東京都の天気")
    write("大阪は晴れ")
    found = ask("東京の天気")
    assert found.asked == ("東京", "京の", "の天", "天気")
    assert found.held == {tokyo: ["東京", "の天", "天気"]}


@pytest.mark.usefixtures("_inside")
def test_a_question_costs_few_statements() -> None:
    write("parcel lost", "lost")
    ask("parcel")
    with CaptureQueriesContext(
        connection,
    ) as few:
        ask("lost parcel somewhere over the rainbow")
    assert len(few) <= 4


def test_other_accounts_are_not_looked_into(cast: Cast) -> None:
    with tenant(cast.stranger_account):
        write("parcel")
    with tenant(cast.account):
        (mine,) = write("parcel")
        found = ask("parcel")
    assert list(found.held) == [mine]
    assert found.frequencies == {"parcel": 1}
    with pytest.raises(NoScope):
        ask("parcel")


@pytest.mark.usefixtures("_inside")
def test_switched_off_it_says_so() -> None:
    change_setting(actor=Actor.system("test"), enabled=False)
    with pytest.raises(SearchIsOff):
        ask("parcel")
