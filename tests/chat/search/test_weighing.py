"""How much of a query a message holds."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.chat.search.weighing import rarity, weigh

pytestmark = pytest.mark.covers("P-06")

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
words = st.sampled_from("abcdef")
held = st.dictionaries(st.integers(0, 9).map(lambda number: UUID(int=number)), st.sets(words))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(held, st.sets(words), st.dictionaries(words, st.integers(0, 1000)), st.integers(0, 1000))
def test_evidence_is_a_share_and_the_most_comes_first(
    held: dict[UUID, set[str]], asked: set[str], frequencies: dict[str, int], messages: int
) -> None:
    found = weigh(held, asked, frequencies, messages=messages)
    shares = [hit.evidence for hit in found]
    assert shares == sorted(shares, reverse=True)
    assert all(0 < share <= 1 for share in shares)
    assert {hit.message_id for hit in found} <= {key for key, some in held.items() if some & asked}


def test_all_words_are_full_evidence_and_a_rare_word_says_more() -> None:
    found = weigh(
        {ONE: ["invoice", "the"], TWO: ["the"], THREE: ["invoice"]},
        ["invoice", "the"],
        {"invoice": 3, "the": 900},
        messages=1000,
    )
    assert [hit.message_id for hit in found] == [ONE, THREE, TWO]
    assert found[0].evidence == pytest.approx(1.0)
    assert found[1].evidence > 0.9
    assert found[2].evidence < 0.1


def test_a_word_that_nobody_said_weighs_on_all() -> None:
    alone = weigh({ONE: ["refund"]}, ["refund"], {"refund": 10}, messages=1000)
    (hit,) = weigh({ONE: ["refund"]}, ["refund", "zeppelin"], {"refund": 10}, messages=1000)
    assert alone[0].evidence == pytest.approx(1.0)
    assert hit.evidence < 0.5


def test_words_that_were_not_asked_for_and_repetitions_count_nothing() -> None:
    (hit,) = weigh({ONE: ["a", "a", "z"]}, ["a", "b"], {"a": 5, "b": 5}, messages=100)
    assert hit.evidence == pytest.approx(0.5)


def test_numbers_do_as_words() -> None:
    assert weigh({ONE: [7]}, [7], {7: 1}, messages=10)[0].evidence == pytest.approx(1.0)


def test_no_question_finds_nothing() -> None:
    assert weigh({ONE: ["a"]}, [], {}, messages=10) == []


def test_rarity_falls_with_frequency_and_is_never_negative() -> None:
    values = [rarity(number, 100) for number in (0, 1, 50, 99, 100, 120)]
    assert values == sorted(values, reverse=True)
    assert values[-1] >= 0
