"""Answers of a ZeroDB server as values. Readers take every shape the contract knows of."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.integrations.outbound.errors import BadAnswer


@dataclass(frozen=True)
class Project:
    """A project. ``api_key`` is set in the answer to create alone, and never shown by repr."""

    id: str
    name: str
    status: str
    tier: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Embeddings:
    """Vectors in the order of their texts, and the model that made them."""

    vectors: list[list[float]] = field(repr=False)
    model: str
    dimensions: int


@dataclass(frozen=True)
class StoredTexts:
    """What embed-and-store did."""

    ids: list[str]
    inserted: int
    updated: int
    model: str
    dimensions: int


@dataclass(frozen=True)
class Hit:
    """Something found: its id, how like the question it is in [0, 1], its text and metadata."""

    id: str
    score: float
    document: str
    metadata: Mapping[str, Any]
    vector: Sequence[float] | npt.NDArray[np.float32] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class VectorStatistics:
    """How much a project (or one namespace) holds."""

    count: int
    namespaces: list[str]
    storage_bytes: int


@dataclass(frozen=True)
class Memory:
    """A remembered fact; ``score`` is set by a search."""

    id: str
    content: str
    metadata: Mapping[str, Any]
    tags: list[str]
    priority: str
    created_at: str
    score: float | None = None


def text(body: Mapping[str, Any], *names: str) -> str:
    """The first of ``names`` that holds a text or a number. Raises BadAnswer."""
    for name in names:
        value = body.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    raise BadAnswer.about("The AI service", f"The answer has no {names[0]}")


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under ``name``; {} when absent."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def entries(body: Any, *names: str) -> list[Any]:
    """The list under the first of ``names`` present, or the body itself when it is one. Raises BadAnswer."""
    if isinstance(body, list):
        return body
    if isinstance(body, dict):
        for name in names:
            if isinstance(body.get(name), list):
                return list(body[name])
    raise BadAnswer.about("The AI service", f"The answer has no list of {names[0]}")


def number(body: Mapping[str, Any], *names: str, default: float | None = None) -> float:
    """The first of ``names`` that holds a number. Raises BadAnswer without a default."""
    for name in names:
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    if default is None:
        raise BadAnswer.about("The AI service", f"The answer has no {names[0]}")
    return default


def read_project(body: Mapping[str, Any]) -> Project:
    """A project from create, get, change or list. Raises BadAnswer."""
    key = body.get("api_key")
    return Project(
        id=text(body, "id", "project_id"),
        name=str(body.get("name") or ""),
        status=str(body.get("status") or "ACTIVE").upper(),
        tier=str(body.get("tier") or "").lower(),
        settings=mapping(body, "settings"),
        metadata=mapping(body, "metadata"),
        usage=mapping(body, "usage"),
        api_key=key if isinstance(key, str) and key else None,
    )


def read_embeddings(body: Mapping[str, Any]) -> Embeddings:
    """Vectors from generate. Raises BadAnswer."""
    vectors = body.get("embeddings")
    if not isinstance(vectors, list) and isinstance(body.get("embedding"), list):
        vectors = [body["embedding"]]
    if not isinstance(vectors, list) or not all(_is_vector(vector) for vector in vectors):
        raise BadAnswer.about("The AI service", "The answer has no embeddings")
    length = len(vectors[0]) if vectors else 0
    return Embeddings(
        vectors, str(body.get("model") or ""), int(number(body, "dimensions", "dimension", default=length))
    )


def _is_vector(value: Any) -> bool:
    # By the set of types: a search answers with tens of thousands of numbers.
    return isinstance(value, list) and bool(value) and set(map(type, value)) <= {int, float}


def read_stored(body: Mapping[str, Any]) -> StoredTexts:
    """What embed-and-store answers. Raises BadAnswer."""
    ids = [str(item) for item in entries(body, "vector_ids", "ids")]
    stored = int(number(body, "vectors_stored", "stored_count", "stored", default=len(ids)))
    updated = int(number(body, "vectors_updated", default=0))
    return StoredTexts(
        ids=ids,
        inserted=int(number(body, "vectors_inserted", default=stored - updated)),
        updated=updated,
        model=str(body.get("model") or ""),
        dimensions=int(number(body, "dimensions", "dimension", default=0)),
    )


def read_hit(body: Any) -> Hit:
    """One result of a search. Raises BadAnswer."""
    if not isinstance(body, dict):
        raise BadAnswer.about("The AI service", "A result of the search is not an object")
    return Hit(
        id=text(body, "id", "vector_id", "memory_id"),
        score=float(number(body, "score", "similarity", "similarity_score")),
        document=str(body.get("document") or body.get("text") or body.get("content") or ""),
        metadata=mapping(body, "metadata"),
        vector=_vector(body),
    )


def _vector(body: Mapping[str, Any]) -> Sequence[float] | npt.NDArray[np.float32]:
    for name in ("vector", "embedding", "values"):
        value = body.get(name)
        if isinstance(value, str):
            return _unpacked(value)
        if _is_vector(value):
            return list(body[name])
    return ()


def read_vector(body: Mapping[str, Any]) -> Sequence[float]:
    """The numbers of one stored vector. Raises BadAnswer."""
    found = _vector(body)
    if not len(found):
        raise BadAnswer.about("The AI service", "The answer has no vector")
    return list(map(float, found))


def _unpacked(value: str) -> npt.NDArray[np.float32]:
    """Little-endian 32-bit floats in base64. Raises BadAnswer."""
    try:
        return np.frombuffer(b64decode(value, validate=True), dtype="<f4")
    except ValueError:
        raise BadAnswer.about("The AI service", "A vector of the search can't be read") from None


def read_hits(body: Any) -> list[Hit]:
    """All results of a search. Raises BadAnswer."""
    return [read_hit(item) for item in entries(body, "results", "vectors", "matches")]


def read_memory(body: Any) -> Memory:
    """A remembered fact. Raises BadAnswer."""
    if not isinstance(body, dict):
        raise BadAnswer.about("The AI service", "A memory of the answer is not an object")
    score = number(body, "score", "similarity", "similarity_score", default=-1.0)
    tags: Sequence[Any] = body.get("tags") or []
    return Memory(
        id=text(body, "id", "memory_id"),
        content=str(body.get("content") or ""),
        metadata=mapping(body, "metadata"),
        tags=[str(tag) for tag in tags],
        priority=str(body.get("priority") or "medium"),
        created_at=str(body.get("created_at") or ""),
        score=None if score < 0 else float(score),
    )


def read_statistics(body: Mapping[str, Any]) -> VectorStatistics:
    """What a project holds. Raises BadAnswer."""
    names = body.get("namespaces")
    return VectorStatistics(
        count=int(number(body, "count", "total_vectors")),
        namespaces=[str(name) for name in names] if isinstance(names, list | dict) else [],
        storage_bytes=int(number(body, "storage_bytes", default=0)),
    )
