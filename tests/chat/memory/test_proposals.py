"""Facts from texts: by rules, and from what a language model answers."""

from __future__ import annotations

import pytest

from apps.chat.memory.proposing import read_answer
from apps.chat.memory.rules import facts_in


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("I'm allergic to nuts.", "health"),
        ("Please don't call before noon.", "contact"),
        ("I prefer the morning slot.", "preference"),
        ("Our daughter sleeps until two.", "household"),
        ("We moved to Porto last month.", "home"),
        ("I am away until Monday.", "absence"),
    ],
)
def test_statements_are_found(text: str, tag: str) -> None:
    (fact,) = facts_in(text)
    assert fact.text == text
    assert tag in fact.tags
    assert 1 <= fact.importance <= 5


@pytest.mark.parametrize("text", ["Where is my parcel?", "The app crashes.", "Do you prefer a call?", "", "Thanks!"])
def test_questions_and_complaints_are_none(text: str) -> None:
    assert facts_in(text) == []


def test_a_models_answer_is_read_and_nonsense_in_it_left_out() -> None:
    answer = """Here you are: [
      {"message": 0, "fact": "Has a cat", "importance": 2, "tags": ["pets"]},
      {"message": 7, "fact": "Of no message"}, {"message": true, "fact": "x"}, {"message": 0, "fact": ""}, "x",
      {"message": 1, "fact": "Away until Monday", "importance": 99, "tags": "y"}]"""
    assert [(number, fact.text, fact.importance, fact.tags) for number, fact in read_answer(answer, 2)] == [
        (0, "Has a cat", 2, ("pets",)),
        (1, "Away until Monday", 3, ()),
    ]


@pytest.mark.parametrize("answer", ["I found nothing.", "[{", "] ["])
def test_an_answer_that_is_no_list_is_refused(answer: str) -> None:
    with pytest.raises(ValueError):
        read_answer(answer, 1)
