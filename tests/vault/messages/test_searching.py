"""Search over encrypted messages: it finds the same as reading all of them would, newest first, in bounded steps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from apps.accounts.tenancy.scope import NoScope, tenant
from apps.vault.keys import account_keys
from apps.vault.messages import (
    Page,
    QueryFault,
    load_contents,
    said_before,
    search,
    searching,
    store_content,
)
from tests.factories import Cast
from tests.vault.messages.letters.models import Letter, LetterWord
from tests.vault.messages.writing import everything, rotate_index_key, write

pytestmark = [pytest.mark.covers("V-03"), pytest.mark.django_db]

WORDS = [f"{letters}{number}" for number in range(40) for letters in ("alph", "beta", "gam")]


@pytest.fixture
def _inside(cast: Cast) -> Iterator[None]:
    with tenant(cast.account):
        yield


def corpus(size: int) -> dict[UUID, list[str]]:
    """Letters of words that have no endings, common and rare ones; newest first."""
    source = random.Random(7)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    texts = [source.choices(WORDS, weights, k=source.randint(3, 12)) for _ in range(size)]
    ids = write(*(" ".join(words) for words in texts))
    return dict(reversed(list(zip(ids, texts, strict=True))))


def phrase(words: list[str], *wanted: str) -> bool:
    size = len(wanted)
    return any(tuple(words[at : at + size]) == wanted for at in range(len(words)))


CASES: dict[str, Callable[[list[str]], bool]] = {
    "alph0": lambda words: "alph0" in words,
    "gam39": lambda words: "gam39" in words,
    "alph0 beta0": lambda words: "alph0" in words and "beta0" in words,
    "alph0 gam30": lambda words: "alph0" in words and "gam30" in words,
    "gam30 OR gam31 OR beta0": lambda words: bool({"gam30", "gam31", "beta0"} & set(words)),
    '"alph0 beta0"': lambda words: phrase(words, "alph0", "beta0"),
    '"beta0 alph0" OR gam20': lambda words: phrase(words, "beta0", "alph0") or "gam20" in words,
    "gam2*": lambda words: any(word.startswith("gam2") for word in words),
    "bet*": lambda words: any(word.startswith("bet") for word in words),
    "alph0 bet*": lambda words: "alph0" in words and any(word.startswith("bet") for word in words),
    "(alph1 OR beta1) (gam1 OR gam2)": lambda words: (
        bool({"alph1", "beta1"} & set(words)) and bool({"gam1", "gam2"} & set(words))
    ),
    "(alph1 beta1) OR (gam1 gam2)": lambda words: {"alph1", "beta1"} <= set(words) or {"gam1", "gam2"} <= set(words),
    "alph0 nowhere": lambda words: False,
    "nowhere*": lambda words: False,
}


@pytest.mark.usefixtures("_inside")
class TestAgreement:
    @pytest.mark.parametrize("small_steps", [False, True])
    def test_it_finds_what_reading_everything_finds_newest_first(
        self, small_steps: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if small_steps:
            monkeypatch.setattr(searching, "_FIRST_STEP", 8)
            monkeypatch.setattr(searching, "_LARGEST_STEP", 16)
            monkeypatch.setattr(searching, "MOST_WALKED", 40)
            monkeypatch.setattr(searching, "FEW", 5)
        texts = corpus(400)
        limit = 7 if small_steps else 50
        for query, fits in CASES.items():
            assert everything(query, limit=limit) == [key for key, words in texts.items() if fits(words)], query
        half = list(texts)[::2]
        Letter.objects.filter(pk__in=half).update(folder="out")
        for query, fits in CASES.items():
            wanted = [key for key in half if fits(texts[key])]
            assert everything(query, limit=limit, conditions=Q(folder="out")) == wanted, query

    def test_numbers_that_fall_together_give_no_wrong_hits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from apps.vault.messages.hashing import WordHasher

        original = WordHasher.number
        monkeypatch.setattr(WordHasher, "number", lambda self, word: original(self, word) >> 60)
        monkeypatch.setattr(WordHasher, "span", lambda self, start: (-(2**63), 2**63 - 1))
        texts = corpus(120)
        for query, fits in CASES.items():
            assert everything(query, limit=5) == [key for key, words in texts.items() if fits(words)], query


@pytest.mark.usefixtures("_inside")
class TestPages:
    def test_a_page_names_where_to_go_on(self) -> None:
        ids = write(*["the same invoice"] * 5)
        first = search(Letter, "invoice", limit=3)
        assert [hit.id for hit in first.hits] == ids[:1:-1]
        assert first.next == ids[2]
        assert [hit.id for hit in search(Letter, "invoice", limit=3, before=first.next).hits] == ids[1::-1]

    def test_the_last_page_says_so(self) -> None:
        write(*["the same invoice"] * 3)
        assert search(Letter, "invoice", limit=3).next is None

    def test_hits_come_with_their_text(self) -> None:
        write("The Invoices of May")
        assert [hit.content for hit in search(Letter, "invoice").hits] == ["The Invoices of May"]

    def test_the_newest_of_very_many_are_found_without_reading_the_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write(*[f"invoice number{number}" for number in range(1_500)])
        opened = []
        original = searching.open_column
        monkeypatch.setattr(
            searching,
            "open_column",
            lambda model, owner, name, rows: opened.extend(rows) or original(model, owner, name, rows),
        )
        assert len(search(Letter, "invoice").hits) == 50
        assert len(search(Letter, "invoice OR numbers OR number7").hits) == 50
        assert len(opened) <= 110

    def test_words_that_often_meet_come_page_by_page_without_a_gap(self) -> None:
        ids = write(*[f"left {'right' if number % 3 else 'wrong'} number{number}" for number in range(900)])
        assert everything("left right") == [key for at, key in reversed(list(enumerate(ids))) if at % 3]

    def test_a_common_word_beside_a_rare_one_is_not_walked_through(self) -> None:
        ids = write("left right", *["left"] * 600, *["right"] * 400)
        with CaptureQueriesContext(connection) as queries:
            assert [hit.id for hit in search(Letter, "left right").hits] == [ids[0]]
        assert len(queries) <= 2

    def test_one_that_must_not_be_found_leaves_no_gap(self) -> None:
        ids = write(*["invoice of may"] * 20)
        with connection.cursor() as cursor:  # as no code of ours does: its words stay
            cursor.execute("UPDATE letters_letter SET is_searchable = false WHERE id = ANY(%s)", [ids[5:18]])
        for query in ("invoice", "invoice may"):
            assert everything(query, limit=4) == [*ids[:17:-1], *ids[4::-1]]

    def test_words_that_never_meet_end_in_bounded_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searching, "MOST_WALKED", 200)
        write(*["left one", "right two"] * 1_000)
        page = search(Letter, "left right")
        assert page.hits == []
        assert page.next is not None
        assert everything("left right") == []

    @pytest.mark.parametrize(
        ("query", "most"), [("invoice", 2), ("invoice may", 3), ("invoice OR may OR june", 2), ("inv* may", 4)]
    )
    def test_a_page_takes_a_handful_of_queries_however_many_hits(self, query: str, most: int) -> None:
        write(*["invoice of may"] * 60)
        account_keys(Letter.objects.values_list("account_id", flat=True)[0])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(search(Letter, query).hits) == 50
        assert len(queries) <= most


@pytest.mark.usefixtures("_inside")
class TestWhatIsFound:
    def test_a_message_that_is_not_searchable_is_not_found(self) -> None:
        letter = Letter()
        store_content(letter, "a private invoice", searchable=False)
        assert everything("invoice") == []
        assert not LetterWord.objects.exists()

    def test_a_changed_text_is_found_by_its_new_words(self) -> None:
        letter = Letter()
        store_content(letter, "an invoice")
        store_content(letter, "a reminder")
        assert everything("invoice") == []
        assert everything("reminder") == [letter.pk]

    def test_a_deleted_message_is_not_found(self) -> None:
        letter = Letter()
        store_content(letter, "an invoice")
        letter.delete()
        assert everything("invoice") == []

    def test_too_wide_a_prefix_is_refused_in_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("apps.vault.messages.planning.MOST_NUMBERS", 30)
        write(" ".join(WORDS))
        with pytest.raises(QueryFault) as fault:
            search(Letter, "alp* OR bet*")
        assert fault.value.code == "prefix_too_wide"

    def test_equal_texts_are_told_by_their_fingerprint(self) -> None:
        [first, _, other] = write("Where is  my order?", "Something else", "where is my ORDER?")
        found = Letter.objects.filter(said_before(Letter, "Where is my order?")).values_list("pk", flat=True)
        assert set(found) == {first, other}


def test_no_account_finds_the_words_of_another(cast: Cast) -> None:
    with tenant(cast.account):
        write("a secret invoice")
    with tenant(cast.stranger_account):
        write("our invoice")
        assert len(search(Letter, "invoice").hits) == 1
        assert search(Letter, "secret").hits == []
    mine, theirs = (_numbers(account.id) for account in (cast.account, cast.stranger_account))
    assert not mine & theirs


def _numbers(account_id: UUID) -> set[int]:
    with tenant(account_id):
        return set(LetterWord.objects.values_list("word", flat=True))


def test_it_needs_an_account() -> None:
    with pytest.raises(NoScope):
        search(Letter, "invoice")


def test_a_page_of_texts_is_read_in_one_query(cast: Cast) -> None:
    with tenant(cast.account):
        ids = write(*[f"text {number}" for number in range(50)])
        account_keys(cast.account.id)
        with CaptureQueriesContext(connection) as queries:
            texts = load_contents(Letter, ids)
        assert len(queries) == 1
        assert [texts[key] for key in ids] == [f"text {number}" for number in range(50)]


def test_no_word_is_in_the_sql_or_the_log(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with tenant(cast.account), CaptureQueriesContext(connection) as queries:
        write("a whispered secret")
        page: Page = search(Letter, 'whispered OR "whispered secret" OR whisp*')
        assert len(page.hits) == 1
    said = " ".join([query["sql"] for query in queries] + [record.getMessage() for record in caplog.records])
    assert "letters_letterword" in said
    assert "whisp" not in said
    assert "secret" not in said


@pytest.mark.covers("X-01")
def test_old_and_new_messages_are_found_while_the_index_key_rotates(cast: Cast) -> None:
    with tenant(cast.account):
        [old] = write("an old invoice of may")
        rotate_index_key(cast.account.id)
        [new] = write("a new invoice of may")
        before, after = (
            set(LetterWord.objects.filter(message_id=key).values_list("word", flat=True)) for key in (old, new)
        )
        assert not before & after
        for query in ("invoice", "invoice may", "inv*", '"invoice of may"', "invoice OR nothing"):
            assert everything(query) == [new, old], query
