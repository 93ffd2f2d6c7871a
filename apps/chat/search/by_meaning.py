"""Messages that mean what somebody asks for, from the account's vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from apps.accounts.actors import Actor
from apps.accounts.metering import Line, metered
from apps.chat.indexing.generations import serving
from apps.chat.indexing.passages import message_id_of
from apps.chat.indexing.secrets import without_secrets
from apps.chat.indexing.vectors import project
from apps.integrations.zerodb.client.answers import Hit

MOST_HITS = 1_000
"""What the contract lets one search answer."""


@dataclass(frozen=True)
class MeaningHit:
    """A message, how like the question its best passage is (cosine, 0 to 1), and which passage that is."""

    message_id: UUID
    score: float
    passage: int
    vector: Sequence[float] | npt.NDArray[np.float32] = field(default=(), repr=False, compare=False)


def nearest_messages(
    query: str, *, limit: int, actor: Actor, conditions: Mapping[str, Any] | None = None, vectors: int = 0
) -> list[MeaningHit]:
    """Up to ``limit`` messages, best first, the first ``vectors`` with theirs; none while nothing is indexed.

    Raises NoProject, LimitReached, OutboundError.
    """
    generation = serving()
    if generation is None:
        return []
    with project() as client, metered("zerodb", Line("searches", 1, "zerodb"), actor=actor):
        (vector,) = client.generate([without_secrets(query)], model=generation.model).vectors
        hits = []
        if vectors:
            hits = client.nearest(
                vector,
                namespace=generation.namespace,
                limit=min(vectors, limit),
                conditions=conditions,
                with_vectors=True,
            )
        # A short answer was all there is; vectors of a thousand would be megabytes.
        if not vectors or len(hits) == vectors < limit:
            hits += client.nearest(
                vector, namespace=generation.namespace, limit=min(limit, MOST_HITS), conditions=conditions
            )
    return best_of_each(hits)


def best_of_each(hits: list[Hit]) -> list[MeaningHit]:
    """Each message once, by its best passage, in the order of the hits."""
    found: dict[UUID, MeaningHit] = {}
    for hit in hits:
        message_id = message_id_of(hit.id)
        if message_id not in found:
            found[message_id] = MeaningHit(message_id, hit.score, int(hit.id[37:] or 0), hit.vector)
    return list(found.values())
