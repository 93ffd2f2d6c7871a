"""From which cosine on texts are about the same matter, whatever model made their vectors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pytest

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.chat.demo.stories import intents
from apps.chat.suggestions.likeness import ENOUGH, USUAL, measured_for, told_from
from apps.chat.suggestions.ranking import Reply, reply_text, suggest
from apps.integrations.zerodb.embedding import DEFAULT_MODEL
from apps.integrations.zerodb.embedding.registry import MINILM_NAME
from tests.api_client import by_key
from tests.chat.conftest import Say

pytestmark = pytest.mark.covers("P-06")

ELSEWHERE = "https://ai.example"
Vectors = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def replies() -> Vectors:
    texts = [reply_text(code, text) for one in intents("Acme Cloud") for code, text in one.canned]
    return DEFAULT_MODEL.engine.embed(texts)


def crowded(vectors: Vectors, *, unlike: float) -> Vectors:
    """The same texts by a model for which nothing is far apart: every vector has ``unlike`` of one direction."""
    common = np.zeros_like(vectors[:, :1])
    common[:] = np.sqrt(unlike)
    return np.hstack([common, np.sqrt(1 - unlike) * vectors])


def test_a_model_that_was_measured_has_its_own() -> None:
    assert measured_for(DEFAULT_MODEL.name) == measured_for(MINILM_NAME) == 0.4
    assert measured_for("text-embedding-of-tomorrow") is None


def test_elsewhere_a_name_means_the_model_of_that_name(settings: Any) -> None:
    settings.ZERODB_API_URL = ELSEWHERE
    assert measured_for(DEFAULT_MODEL.name) is None, "the embedded server only answers to that name"
    assert measured_for(MINILM_NAME) == 0.4


def test_an_unknown_model_is_told_from_the_replies(replies: Vectors) -> None:
    assert told_from(list(replies)) == pytest.approx(0.4, abs=0.07), "MiniLM, if nobody had measured it"
    for unlike in (0.5, 0.7):
        assert told_from(list(crowded(replies, unlike=unlike))) > unlike + 0.1
    assert told_from(list(replies[: ENOUGH - 1])) == USUAL


def test_the_same_replies_are_offered_whatever_the_scale_of_the_model(replies: Vectors) -> None:
    texts = ["I was charged twice this month", "How do I export all my data?", "Lovely weather in Porto"]
    questions = DEFAULT_MODEL.engine.embed(texts)
    plain = _offered(questions, replies)
    assert plain == _offered(crowded(questions, unlike=0.7), crowded(replies, unlike=0.7))
    assert plain[0] and plain[1] and not plain[2]


def _offered(questions: Vectors, vectors: Vectors) -> list[list[int]]:
    rows = [Reply(UUID(int=number), vector) for number, vector in enumerate(vectors)]
    threshold = told_from(list(vectors))
    return [[one.id.int for one in suggest(asked, rows, threshold=threshold)] for asked in questions]


@pytest.mark.django_db(transaction=True)
def test_an_account_says_how_alike_texts_must_be(account: Account, say: Say) -> None:
    owner = by_key(account, Role.OWNER)
    owner.post("canned-responses", {"short_code": "refund", "content": "Your money is on its way back to your card."})
    asked = say(account, "When do I get my money back?")

    def offered() -> int:
        return len(owner.get(f"conversations/{asked.pk}/suggestions").json["results"])

    assert offered() == 1
    assert owner.patch("project/settings", {"same_matter_from": 0.9}).json["settings"]["same_matter_from"] == 0.9
    assert offered() == 0
    assert owner.patch("project/settings", {"same_matter_from": None}).status == 200
    assert offered() == 1
