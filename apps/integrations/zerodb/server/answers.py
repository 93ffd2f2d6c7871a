"""Shapes that several groups answer with."""

from __future__ import annotations

from typing import Any

from apps.integrations.models import ZeroVector
from apps.integrations.zerodb.server.store.vectors import Match

SCORE_NAMES = ("score", "similarity", "similarity_score")


def scores(score: float) -> dict[str, float]:
    """The one number under the three names clients read."""
    return dict.fromkeys(SCORE_NAMES, score)


def match_answer(match: Match, *, with_metadata: bool = True, with_values: bool = False) -> dict[str, Any]:
    """One hit of a search."""
    vector = match.vector
    answer: dict[str, Any] = {
        "id": vector.external_id,
        "vector_id": vector.external_id,
        **scores(match.score),
        "document": vector.document,
        "text": vector.document,
        "namespace": vector.namespace,
        "model": vector.model_name or vector.model or None,
        "dimensions": vector.dimensions,
        "created_at": vector.created_at,
    }
    if with_metadata:
        answer["metadata"] = vector.metadata
    if with_values:
        answer["embedding"] = vector.embedding
    return answer


def vector_answer(vector: ZeroVector, *, with_values: bool = False) -> dict[str, Any]:
    """One stored vector."""
    answer: dict[str, Any] = {
        "id": vector.external_id,
        "vector_id": vector.external_id,
        "namespace": vector.namespace,
        "document": vector.document,
        "text": vector.document,
        "metadata": vector.metadata,
        "model": vector.model_name or vector.model or None,
        "dimension": vector.dimensions,
        "dimensions": vector.dimensions,
        "created_at": vector.created_at,
        "stored_at": vector.stored_at,
    }
    if with_values:
        values = list(vector.embedding)
        answer |= {"vector": values, "values": values, "embedding": values}
    return answer
