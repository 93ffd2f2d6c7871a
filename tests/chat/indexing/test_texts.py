"""What of a text is embedded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.identifiers import uuid7
from apps.chat.indexing.passages import MOST_WORDS, message_id_of, passages_of, vector_id
from apps.chat.indexing.secrets import HIDDEN, without_secrets


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("My card is 4111 1111 1111 1111, thanks", "1111 1111"),
        ("My card is 4111-1111-1111-1111.", "1111"),
        ("Use sk_live_4eC39HqLyjWDarjtT1zdp7dc please", "4eC39"),
        ("token ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7"),
        ("The password is hunter2!", "hunter2"),
        ("PIN: 4711", "4711"),
        ("api key=abcdef", "abcdef"),
        ("Pay to GB82 WEST 1234 5698 7654 32 today", "5698"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4", "SflKx"),
    ],
)
def test_secrets_are_hidden(text: str, secret: str) -> None:
    assert secret not in without_secrets(text)
    assert HIDDEN in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111111111111112 has not arrived.",  # no card: the check digit is wrong
        "Call me at +44 20 7946 0142.",
        "I forgot my password and can't sign in.",
        "Flat 4, 18 Quay Row, since 2019-04-01.",
    ],
)
def test_ordinary_texts_stay(text: str) -> None:
    assert without_secrets(text) == text


@given(st.text(max_size=3000))
def test_passages_hold_all_words_in_order_and_are_short(text: str) -> None:
    passages = passages_of(text)
    assert " ".join(passages).split() == text.split()
    assert all(0 < len(passage.split()) <= MOST_WORDS for passage in passages)


def test_sentences_stay_whole_where_they_fit() -> None:
    sentence = "This is a sentence of eight words here. "
    assert all(passage.endswith("here.") for passage in passages_of(sentence * 40))


def test_vectors_bear_the_ids_of_their_messages() -> None:
    message = uuid7()
    assert vector_id(message, 0) == str(message)
    assert {message_id_of(vector_id(message, position)) for position in range(3)} == {message}
