"""Which canned replies are suggested."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.chat.suggestions.packing import pack, unpack
from apps.chat.suggestions.ranking import (
    FULL,
    NUDGE,
    OFFERED,
    REMEMBERED,
    Reply,
    Suggestion,
    fade,
    is_same_matter,
    learn,
    question_text,
    reply_text,
    suggest,
    unlearn,
)

pytestmark = pytest.mark.covers("P-06")

# A busy machine makes examples slowly; that says nothing about the ranking.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
vectors = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3)
counts = st.integers(0, 50)
replies = st.builds(Reply, st.integers(0, 30).map(lambda number: UUID(int=number)), vectors, counts, counts, vectors)


def reply(number: int, vector: list[float], **learnt: object) -> Reply:
    return Reply(UUID(int=number), vector, **learnt)  # type: ignore[arg-type]


def order(found: list[Suggestion]) -> list[int]:
    return [one.id.int for one in found]


@unhurried
@given(vectors, st.lists(replies, max_size=12), st.floats(0, 1))
def test_few_are_offered_the_best_first_and_none_below_the_threshold(
    question: list[float], some: list[Reply], threshold: float
) -> None:
    found = suggest(question, some, threshold=threshold)
    scores = [one.score for one in found]
    assert len(found) <= OFFERED
    assert scores == sorted(scores, reverse=True)
    assert all(threshold <= score <= 1 for score in scores)


@unhurried
@given(vectors, replies)
def test_counts_alone_move_a_reply_by_a_nudge_at_most(question: list[float], one: Reply) -> None:
    def score(accepted: int, ignored: int) -> float:
        (found,) = suggest(question, [Reply(one.id, one.vector, accepted, ignored)], threshold=0)
        return found.score

    fresh = score(0, 0)
    assert abs(score(one.accepted, one.ignored) - fresh) <= NUDGE + 1e-9
    assert score(one.accepted + 1, one.ignored) >= score(one.accepted, one.ignored) - 1e-9
    assert score(one.accepted, one.ignored + 1) <= score(one.accepted, one.ignored) + 1e-9


def test_the_reply_that_is_most_like_the_question_comes_first() -> None:
    found = suggest([1, 0, 0], [reply(1, [0.6, 0.8, 0]), reply(2, [1, 0.1, 0]), reply(3, [0, 0, 1])])
    assert order(found) == [2, 1]


def test_equal_replies_come_as_they_were_given() -> None:
    assert order(suggest([1, 0], [reply(2, [1, 0]), reply(1, [1, 0])])) == [2, 1]


def test_a_reply_learns_the_questions_it_was_accepted_for() -> None:
    question = [0.0, 1.0, 0.0]
    near, taught = [0.9, 0.5, 0.0], [0.9, 0.4, 0.0]
    before = suggest(question, [reply(1, near), reply(2, taught)], threshold=0)
    learnt = learn((), 0, question)
    after = suggest(question, [reply(1, near), reply(2, taught, accepted=1, learnt=learnt)], threshold=0)
    assert (order(before), order(after)) == ([1, 2], [2, 1])


def test_what_is_learnt_is_the_mean_of_the_questions() -> None:
    learnt = learn((), 0, [2.0, 0.0])
    assert learnt == [1, 0]
    learnt = learn(learnt, 1, [0.0, 5.0])
    assert learnt == pytest.approx([0.5, 0.5])
    assert learn(learnt, 2, [1.0, 0.0]) == pytest.approx([2 / 3, 1 / 3])


def test_a_reply_that_nobody_wants_falls_behind_its_equal() -> None:
    assert order(suggest([1, 0], [reply(1, [1, 0.3], ignored=40), reply(2, [1, 0.3])])) == [2, 1]


def test_the_last_three_messages_are_the_question() -> None:
    assert question_text(["one", "two", "three", "four"]) == "two\nthree\nfour"
    assert question_text([]) == ""


def test_the_short_code_is_part_of_what_a_reply_says() -> None:
    assert reply_text("late-parcel_eu", "We look into it.") == "late parcel eu. We look into it."


def test_a_vector_of_nothing_is_no_fault() -> None:
    assert suggest([0, 0], [reply(1, [0, 0])]) == []


# --- what is learnt wrongly, and what is taken back


@unhurried
@given(vectors, vectors, st.integers(1, 200))
def test_what_was_just_learnt_can_be_taken_back(before: list[float], question: list[float], accepted: int) -> None:
    after = learn(before, accepted, question)
    assert unlearn(after, accepted + 1, question) == pytest.approx(before, abs=1e-3)


def test_the_only_question_taken_back_leaves_nothing() -> None:
    assert unlearn(learn((), 0, [1.0, 0.0]), 1, [1.0, 0.0]) == []


def test_nobody_teaches_a_reply_wrongly_for_ever() -> None:
    right, wrong = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]

    def teach(learnt: list[float], accepted: int, question: list[float], times: int) -> tuple[list[float], int]:
        for _ in range(times):
            learnt, accepted = learn(learnt, accepted, question), fade(accepted + 1, 0)[0]
        return learnt, accepted

    poisoned = teach([], 0, wrong, 10_000)
    assert poisoned[1] < FULL
    healed, _ = teach(*poisoned, right, 2 * REMEMBERED)
    assert healed[0] > 4 * healed[1]


def test_counts_that_are_full_are_halved() -> None:
    assert fade(FULL - 1, 0) == (FULL - 1, 0)
    assert fade(FULL - 20, 20) == ((FULL - 20) // 2, 10)


def test_a_reworded_reply_is_about_the_same_matter_and_a_new_text_is_not() -> None:
    assert is_same_matter([1.0, 0.2], [1.0, 0.4])
    assert not is_same_matter([1.0, 0.0], [0.0, 1.0])
    assert not is_same_matter([], [0.0, 1.0])


@given(vectors)
def test_a_packed_vector_comes_back_as_it_was(vector: list[float]) -> None:
    assert unpack(pack(vector)).tolist() == vector
    assert unpack(pack(())).tolist() == unpack("").tolist() == []
