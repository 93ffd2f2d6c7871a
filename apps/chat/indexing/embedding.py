"""Texts as vectors, by the account's AI project and the model that the account chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.accounts.actors import Actor
from apps.accounts.metering import Line, metered
from apps.chat.indexing.generations import chosen_model
from apps.chat.indexing.secrets import without_secrets
from apps.chat.indexing.vectors import project

AT_ONCE = 100
"""What the contract lets one call embed."""


@dataclass(frozen=True)
class Embedded:
    """Vectors in the order of their texts, and the model that made them: others compare with these only by it."""

    model: str
    vectors: list[list[float]]


def embed(texts: Sequence[str], *, actor: Actor, model: str = "") -> Embedded:
    """The vectors of ``texts``, whose secrets are hidden first, by ``model`` or else the chosen one.

    Raises NoProject, LimitReached, OutboundError.
    """
    model = model or chosen_model()
    vectors: list[list[float]] = []
    with project() as client, metered("zerodb", Line("embeddings", len(texts), "zerodb"), actor=actor):
        for start in range(0, len(texts), AT_ONCE):
            some = [without_secrets(text) for text in texts[start : start + AT_ONCE]]
            vectors += client.generate(some, model=model).vectors
    return Embedded(model, vectors)


def kept(vector: Sequence[float]) -> list[float]:
    """A vector as rows keep it: five digits tell all that cosines of texts need, in half the space."""
    return [round(value, 5) for value in vector]
