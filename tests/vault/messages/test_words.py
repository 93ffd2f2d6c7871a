"""Texts to words: one way of writing, and every word found again by whoever asks for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.vault.messages.hashing import WordHasher
from apps.vault.messages.query import And, Or, Phrase, Prefix, QueryFault, Word, parse
from apps.vault.messages.words import Reading, analyse, chunks, indexed_words, languages, normal, reader, stem

pytestmark = pytest.mark.covers("V-03")

ENGLISH = "english"


def found(text: str, query: str, language: str = ENGLISH) -> bool:
    return parse(query, language).fits(Reading(text, language))


def answer(text: str, query: str, language: str = ENGLISH) -> bool | str:
    """Whether it is found, or why it can't be asked."""
    try:
        return found(text, query, language)
    except QueryFault as fault:
        return fault.code


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The invoices were paid", "invoice"),
        ("Café Zürich", "CAFE zurich"),
        ("Straße", "STRASSE"),
        ("Łódź and Ærø", "lodz aero"),
        ("ﬁne ｆｕｌｌ width", "fine full"),
        ("İstanbul", "istanbul"),
        ("our e-mail", "email"),
        ("our e-mail", "e-mail"),
        ("our email", "e-mail"),
        ("our e-mail", "mail"),
        ("write to Ann.Berger@Shop.example now", "ann.berger@shop.example"),
        ("write to Ann.Berger@Shop.example now", "shop.example"),
        ("write to Ann.Berger@Shop.example now", "berger"),
        ("see https://www.shop.example/orders/12?x=1", "https://www.shop.example/orders/12"),
        ("see https://www.shop.example/orders/12?x=1", "shop.example"),
        ("it costs 1,234.50 today", "1234.50"),
        ("it costs 1.234,50 today", "1,234.50"),
        ("it costs 12,50", "12.50"),
        ("order #10442", "10442"),
        ("order INV-2024-001", "inv-2024-001"),
        ("order INV-2024-001", "inv-2024*"),
        ("order INV-2024-001", "2024"),
        ("on 2024-01-31", "2024-01-31"),
        ("version 3.11.7 runs", "3.11*"),
        ("don't", "dont"),
        ("the customer's door", "customer"),
        ("go to bed", '"to bed"'),
        ("happy city", "happy*"),
        ("many cities", "citie*"),
        ("many cities", "city"),
        ("relational", "relational*"),
        ("東京都に行く", "東京"),
        ("東京都に行く", "京都"),
        ("東京都に行く", "都"),
        ("東京都に行く", "く"),
        ("新しいiPhone手机", "手机"),
        ("新しいiPhone手机", "iphone"),
        ("हिन्दी में", "हिन्दी"),
        ("one two three", '"two three" OR nothing'),
        ("one two three", "(three OR four) AND one"),
        ("AT&T", "at&t"),
    ],
)
def test_it_is_found(text: str, query: str) -> None:
    assert found(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("three two", '"two three"'),
        ("twofold three", '"two three"'),
        ("invoices", '"invoice"'),
        ("東京都", "京東"),
        ("one three", "one two"),
        ("12.50", "1250"),
        ("three", "four OR five"),
        ("mail.example", "ann@mail.example"),
        ("cities", "citys*"),
    ],
)
def test_it_is_not_found(text: str, query: str) -> None:
    assert not found(text, query)


@pytest.mark.covers("X-07")
def test_what_cannot_be_asked_is_refused_instead_of_finding_the_opposite() -> None:
    with pytest.raises(QueryFault) as fault:
        parse("invoice AND NOT paid", ENGLISH)
    assert fault.value.code == "operator_unknown"
    assert str(fault.value) == "AND NOT is not understood. Write only what the messages should say."
    for said in ("PAID AND NOT DELIVERED", "it did NOT arrive", "land not sea"):
        parse(said, ENGLISH)


@pytest.mark.parametrize("query", ["", "   ", "the of", "?!", "*", '""', "OR", "()", "AND AND"])
def test_nothing_to_find_is_said(query: str) -> None:
    with pytest.raises(QueryFault) as fault:
        parse(query, ENGLISH)
    assert fault.value.code == "nothing_to_find"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("ab*", "prefix_too_short"),
        ('"to be or not to be"', "only_stop_words"),
        ("x" * 501, "query_too_long"),
        (" ".join(f"w{number}" for number in range(33)), "too_many_words"),
    ],
)
def test_what_cannot_be_asked_is_said(query: str, code: str) -> None:
    with pytest.raises(QueryFault) as fault:
        parse(query, ENGLISH)
    assert fault.value.code == code


def test_the_tree_says_what_binds() -> None:
    assert parse('a1 b2 OR "c3 d4" AND (f66* OR a1)', ENGLISH) == Or(
        (
            And((Word("a1"), Word("b2"))),
            And((Phrase(("c3", "d4")), Or((Prefix("f66"), Word("a1"))))),
        )
    )


LETTERS = st.text("abcdefghiklmnopqrstuvwyzäöüéèçñßøÅÉабвгдежαβγδ0123456789", min_size=1, max_size=12)
TEXTS = st.lists(LETTERS, min_size=1, max_size=12).map(" ".join)
ANY_TEXT = st.text(max_size=80)


@given(ANY_TEXT)
def test_any_text_can_be_read(text: str) -> None:
    assert normal(text) == normal(text)
    stems = {stem for chunk in chunks(normal(text)) for stem in analyse(chunk, ENGLISH).stems}
    assert stems <= indexed_words(text, ENGLISH)


@given(TEXTS, st.sampled_from(["english", "german", "french", "russian"]))
def test_a_text_is_found_by_each_of_its_words_in_any_case(text: str, language: str) -> None:
    for word in text.split():
        for asked in (word, word.upper(), f'"{word}"'):
            assert answer(text, asked, language) in {True, "nothing_to_find", "only_stop_words"}


@given(TEXTS)
def test_a_text_is_found_by_itself_as_a_phrase(text: str) -> None:
    assert answer(text, f'"{text}"') in {True, "only_stop_words"}


@given(ANY_TEXT, ANY_TEXT)
def test_any_query_is_answered_or_refused_in_words(text: str, query: str) -> None:
    assert answer(text, query) in {
        True,
        False,
        "nothing_to_find",
        "only_stop_words",
        "prefix_too_short",
        "too_many_words",
    }


HASHER = WordHasher(b"k" * 32)


class TestNumbers:
    @given(LETTERS, st.integers(3, 12))
    def test_every_word_lies_in_the_span_of_its_beginnings(self, word: str, length: int) -> None:
        start = normal(word)[:length]
        if len(start) >= 3:
            low, high = HASHER.span(start)
            numbers = [HASHER.number(each) for each in indexed_words(word, ENGLISH)]
            assert not numbers or any(low <= number <= high for number in numbers)

    @given(st.text("京都東日本語", min_size=1, max_size=9))
    def test_every_letter_of_a_run_without_spaces_begins_an_indexed_word(self, run: str) -> None:
        numbers = [HASHER.number(word) for word in indexed_words(run, ENGLISH)]
        for letter in run:
            low, high = HASHER.span(letter)
            assert any(low <= number <= high for number in numbers)

    @given(LETTERS, LETTERS)
    def test_equal_words_have_equal_numbers_and_others_have_others(self, one: str, other: str) -> None:
        assert (HASHER.number(one) == HASHER.number(other)) == (one == other)
        assert -(2**63) <= HASHER.number(one) < 2**63

    def test_another_key_gives_other_numbers(self) -> None:
        assert HASHER.number("invoice") != WordHasher(b"l" * 32).number("invoice")

    def test_a_text_has_the_same_numbers_each_time(self) -> None:
        text = "The e-mail about 東京 invoices, invoices@shop.example"
        first = set(HASHER.numbers(text, ENGLISH))
        assert first == set(HASHER.numbers(text, ENGLISH)) == set(WordHasher(b"k" * 32).numbers(text, ENGLISH))
        assert first == {HASHER.number(word) for word in indexed_words(text, ENGLISH)}

    def test_the_memory_begins_anew_when_it_is_full(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("apps.vault.messages.hashing.MOST_WORDS", 10)
        hasher = WordHasher(b"k" * 32)
        for number in range(100):
            hasher.numbers(f"word{number}", ENGLISH)
        assert max(len(hasher._numbers), *map(len, hasher._known.values())) <= 11

    def test_a_long_text_has_the_numbers_of_its_first_words(self) -> None:
        words = [f"word{number}" for number in range(6_000)]
        hasher = WordHasher(b"k" * 32)
        assert set(hasher.numbers(" ".join(words), ENGLISH)) == {hasher.number(word) for word in words[:5_000]}
        assert set(hasher.numbers(",".join(words), ENGLISH)) == {hasher.number(word) for word in words[:5_000]}


class TestReader:
    @pytest.mark.parametrize(
        ("text", "has"),
        [
            ("Two invoices of May", True),
            ("INVOICED again", True),
            ("invoices", True),
            ("the invoice-number", True),
            ("an invoice.", True),
            ("two lines\ninvoices\nbetween", True),
            ("prefixinvoices", False),
            ("invoicesuffix", False),
            ("nothing here", False),
            ("", False),
        ],
    )
    def test_it_tells_the_same_whatever_it_has_read_before(self, text: str, has: bool) -> None:
        fits = reader("invoic", ENGLISH)
        for before in ("", "my invoices here", "an invoice here", "invoiced", "x"):
            fits(before)
            assert fits(text) is has


def test_every_language_has_a_stemmer() -> None:
    assert {"english", "german", "french", "finnish"} <= set(languages())
    assert all(isinstance(stem("words", language), str) for language in languages())


def test_chunks_of_a_long_text_without_words_take_no_time() -> None:
    assert chunks(normal("." * 200_000)) == []
    assert len(chunks(normal("a." * 100_000))) == 1
