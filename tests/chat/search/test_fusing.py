"""One ranking from words and meaning."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.chat.search.fusing import Fused, HeldWords, K, Meant, fuse

pytestmark = pytest.mark.covers("P-06")

STRONG_RANKS = 60
# A busy machine makes examples slowly; that says nothing about the ranking.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ids = st.integers(0, 40).map(lambda number: UUID(int=number))
shares = st.floats(0, 1, allow_nan=False)
word_hits = st.lists(st.builds(HeldWords, ids, shares), max_size=20)
vectors = st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4)
meaning_hits = st.lists(st.builds(Meant, ids, shares, vectors), max_size=20)


def numbered(first: int, scores: list[float]) -> list[Meant]:
    return [Meant(UUID(int=first + place), score) for place, score in enumerate(scores)]


def order(found: list[Fused]) -> list[int]:
    return [hit.message_id.int for hit in found]


@unhurried
@given(word_hits, meaning_hits)
def test_everything_found_comes_once_and_the_best_first(words: list[HeldWords], meaning: list[Meant]) -> None:
    found = fuse(words, meaning)
    assert len({hit.message_id for hit in found}) == len(found)
    assert {hit.message_id for hit in found} == {hit.message_id for hit in [*words, *meaning]}
    scores = [hit.score for hit in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@unhurried
@given(word_hits, meaning_hits)
def test_the_same_question_has_the_same_answer(words: list[HeldWords], meaning: list[Meant]) -> None:
    assert fuse(words, meaning) == fuse(list(words), list(meaning))


@unhurried
@given(meaning_hits, st.integers(100, 110))
def test_a_message_with_all_words_is_never_below_one_with_none(meaning: list[Meant], number: int) -> None:
    exact = UUID(int=number)
    assert fuse([HeldWords(exact, 1.0)], meaning)[0].message_id == exact


@unhurried
@given(st.floats(0, 0.5), st.integers(1, 100))
def test_chance_words_stay_below_what_is_strong_in_meaning(evidence: float, matches: int) -> None:
    meaning = numbered(0, [0.9 - place / 200 for place in range(100)])
    words = [HeldWords(UUID(int=1000 + place), evidence) for place in range(matches)]
    assert order(fuse(words, meaning))[:STRONG_RANKS] == list(range(STRONG_RANKS))


@unhurried
@given(word_hits)
def test_without_meaning_the_evidence_decides(words: list[HeldWords]) -> None:
    best: dict[UUID, float] = {}
    for hit in words:
        best[hit.message_id] = max(best.get(hit.message_id, 0), hit.evidence)
    evidence = [best[hit.message_id] for hit in fuse(words, [])]
    # Evidence whose square is nothing counts as none.
    assert [value for value in evidence if value > 1e-150] == sorted(
        (value for value in evidence if value > 1e-150), reverse=True
    )


@unhurried
@given(st.lists(shares, max_size=20))
def test_without_words_and_vectors_the_order_of_meaning_stands(scores: list[float]) -> None:
    scores = sorted(scores, reverse=True)
    assert order(fuse([], numbered(0, scores))) == list(range(len(scores)))


@unhurried
@given(word_hits, meaning_hits, ids, shares)
def test_more_evidence_never_lowers_a_message(
    words: list[HeldWords], meaning: list[Meant], chosen: UUID, more: float
) -> None:
    before = order(fuse([*words, HeldWords(chosen, 0.0)], meaning)).index(chosen.int)
    after = order(fuse([*words, HeldWords(chosen, more)], meaning)).index(chosen.int)
    assert after <= before


@unhurried
@given(word_hits, st.lists(st.builds(Meant, ids, shares), max_size=20), st.randoms())
def test_the_order_in_which_meaning_arrives_does_not_matter(
    words: list[HeldWords], meaning: list[Meant], chance
) -> None:  # type: ignore[no-untyped-def]
    distinct = list({hit.score: hit for hit in {hit.message_id: hit for hit in meaning}.values()}.values())
    shuffled = list(distinct)
    chance.shuffle(shuffled)
    assert order(fuse(words, distinct)) == order(fuse(words, shuffled))


def test_a_message_in_the_midst_of_like_ones_passes_a_chance_hit() -> None:
    like = np.eye(8, dtype=np.float32)[0]
    group = [Meant(UUID(int=number), 0.5, like) for number in range(6)]
    loner = Meant(UUID(int=99), 0.501, np.eye(8, dtype=np.float32)[1])
    far = [Meant(UUID(int=200 + number), 0.1, np.eye(8, dtype=np.float32)[2]) for number in range(6)]
    assert order(fuse([], [*group, *far, loner]))[0] != 99


def test_words_decide_among_messages_that_mean_alike() -> None:
    meaning = numbered(0, [0.50, 0.49, 0.48])
    assert order(fuse([HeldWords(UUID(int=2), 0.8)], meaning))[0] == 2


def test_a_message_with_several_passages_counts_by_its_best() -> None:
    twice = [Meant(UUID(int=1), 0.2), Meant(UUID(int=2), 0.5), Meant(UUID(int=1), 0.9)]
    assert order(fuse([], twice)) == [1, 2]


def test_first_in_everything_scores_one() -> None:
    (first,) = fuse([HeldWords(UUID(int=1), 1.0)], [Meant(UUID(int=1), 0.7)])
    assert first.score == pytest.approx(1.0)
    assert fuse([], [Meant(UUID(int=1), 0.7)])[0].score == pytest.approx(2 / (K + 1) / (4 / (K + 1)))


def test_vectors_of_different_models_are_refused() -> None:
    mixed = [Meant(UUID(int=number), 0.5, [1.0] * (3 + number)) for number in range(3)]
    with pytest.raises(ValueError):
        fuse([], mixed)


def test_nothing_found_is_nothing() -> None:
    assert fuse([], []) == []
