"""One ranking from two: what holds the words of a query, and what means the same. Pure: no database, no keys.

Plain reciprocal-rank fusion lets a chance word lift a message over one that means the very thing. So words count by
their *evidence* – how much of what the query says, in rare words, the message holds (``weighing``) – and three rankings
are added, each as 1 / (K + rank):

* words, times WORDS x evidence²;
* meaning;
* neighbours: the messages in whose midst the query's meaning falls. One message may be near a query by chance, a group
  of like ones hardly ever is.

Two things hold whatever the numbers are. A message with all words of the query (first by words) is never outranked by
one with none of them. A message with half of the evidence or less, and not found by meaning, is never above one that
is among the first 60 by meaning and by neighbours. Figures: docs/performance.md; what else was tried: docs/adr/0008.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

K = 30
"""How flat a ranking is: the first counts (K + 2) / (K + 1) of the second. 10 to 60 hardly differ."""
WORDS = 2.0
"""Full evidence counts as much as meaning and neighbours together."""
COMPARED = 150
"""How many of the first by meaning are looked at as neighbours; a caller asks for so many vectors."""
NEIGHBOURS = 15
"""How many of its nearest speak for a message."""
OTHERS = 0.9
"""Their share in its neighbours' score; its own likeness has the rest."""
Ranks = dict[UUID, int]


@dataclass(frozen=True, slots=True)
class HeldWords:
    """A message with some of the query's words. ``evidence``: 0 to 1, 1 when it holds all of them."""

    message_id: UUID
    evidence: float


@dataclass(frozen=True, slots=True)
class Meant:
    """A message like the query: cosine, and its vector (any length; none: neighbours are not asked)."""

    message_id: UUID
    score: float
    vector: Sequence[float] | npt.NDArray[np.float32] = ()


@dataclass(frozen=True, slots=True)
class Fused:
    """A message in the fused ranking. ``score``: 0 to 1, comparable within one answer."""

    message_id: UUID
    score: float


def fuse(words: Iterable[HeldWords], meaning: Iterable[Meant]) -> list[Fused]:
    """Each message once, best first. Equal ones: more evidence first, then as they came, meaning before words.

    Either side may be empty, then the other's order stands; a message that comes twice on a side counts where it is
    best. Vectors of another length than the first one's raise ValueError.
    """
    meant = _best(meaning)
    by_meaning = {hit.message_id: rank for rank, hit in enumerate(meant, start=1)}
    # Without neighbours meaning speaks for them, so that words weigh the same.
    by_neighbours = _neighbour_ranks(meant[:COMPARED]) or by_meaning
    evidence = _evidence(words)
    by_words = _word_ranks(evidence, by_meaning)
    scores: dict[UUID, float] = {}
    for message_id in (*by_meaning, *by_words):
        scores[message_id] = (
            _share(by_meaning, message_id)
            + _share(by_neighbours, message_id)
            + WORDS * evidence.get(message_id, 0.0) ** 2 * _share(by_words, message_id)
        )
    most = (2 + WORDS) / (K + 1)
    order = sorted(scores, key=lambda message_id: (-scores[message_id], -evidence.get(message_id, 0.0)))
    return [Fused(message_id, scores[message_id] / most) for message_id in order]


def _share(ranks: Ranks, message_id: UUID) -> float:
    rank = ranks.get(message_id)
    return 1.0 / (K + rank) if rank else 0.0


def _best(meaning: Iterable[Meant]) -> list[Meant]:
    """Each message once, by its best score, best first; equal ones as they came."""
    found: dict[UUID, Meant] = {}
    for hit in sorted(meaning, key=lambda hit: -hit.score):
        found.setdefault(hit.message_id, hit)
    return list(found.values())


def _evidence(words: Iterable[HeldWords]) -> dict[UUID, float]:
    found: dict[UUID, float] = {}
    for hit in words:
        found[hit.message_id] = max(found.get(hit.message_id, 0.0), min(1.0, max(0.0, hit.evidence)))
    return found


def _word_ranks(evidence: dict[UUID, float], by_meaning: Ranks) -> Ranks:
    """Most evidence first; among equals – there are many – the one that means it more, then as they came."""
    last = len(by_meaning) + 1
    order = sorted(evidence, key=lambda message_id: (-evidence[message_id], by_meaning.get(message_id, last)))
    return {message_id: rank for rank, message_id in enumerate(order, start=1)}


def _neighbour_ranks(meant: Sequence[Meant]) -> Ranks:
    """By the likeness of a message's nearest among those found; empty when vectors are missing or are too few."""
    if len(meant) < 3 or not all(len(hit.vector) for hit in meant):
        return {}
    vectors = np.asarray([hit.vector for hit in meant], dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    own = np.asarray([hit.score for hit in meant], dtype=np.float32)
    likeness = (vectors @ vectors.T).clip(0.0)
    np.fill_diagonal(likeness, 0.0)
    # The places of the nearest, in one order whatever the platform's partition does among equals.
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :NEIGHBOURS]
    weights = np.take_along_axis(likeness, nearest, axis=1)
    total = weights.sum(axis=1)
    others = np.divide((weights * own[nearest]).sum(axis=1), total, out=np.zeros_like(own), where=total > 0)
    score = (1 - OTHERS) * own + OTHERS * others
    order = np.argsort(-score, kind="stable")
    return {meant[place].message_id: rank for rank, place in enumerate(order.tolist(), start=1)}
