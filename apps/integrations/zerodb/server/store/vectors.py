"""Vectors of the project in scope: writing, reading, searching, removing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import orjson
from django.db import connection
from django.db.models import Count, QuerySet
from django.utils import timezone

from apps.accounts.identifiers import uuid7
from apps.integrations.models import ZeroVector
from apps.integrations.zerodb.server.errors import ApiError, vector_not_found
from apps.integrations.zerodb.server.metadata_filter import Condition, compile_to_sql
from apps.integrations.zerodb.server.store import usage
from apps.integrations.zerodb.server.store.matches import note_matches
from apps.integrations.zerodb.server.store.nearest import Neighbours, find_nearest
from apps.integrations.zerodb.server.walls import current_project_id
from apps.vault.prepared import fetch_prepared

TABLE = ZeroVector._meta.db_table
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class NewVector:
    """A vector to store. ``model``, and the name it was asked by, are empty for one that the caller brought."""

    external_id: str
    values: Sequence[float]
    document: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    model_name: str = ""


@dataclass(frozen=True)
class Stored:
    """What became of a vector."""

    external_id: str
    created: bool
    created_at: datetime
    stored_at: datetime


_INSERT = f"""
INSERT INTO {TABLE} AS stored
    (id, project_id, namespace, external_id, dimensions, embedding, document, metadata, model, model_name,
     created_at, stored_at)
SELECT id, %s, %s, external_id, vector_dims(embedding), embedding, document, metadata, model, model_name, %s, %s
FROM (SELECT id, external_id, numbers::vector AS embedding, document, metadata::jsonb AS metadata, model, model_name
      FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
           AS given(id, external_id, numbers, document, metadata, model, model_name)
      ORDER BY external_id) AS given
ON CONFLICT (project_id, namespace, external_id) DO
"""
_OVERWRITE = """
UPDATE SET embedding = EXCLUDED.embedding, document = EXCLUDED.document, metadata = EXCLUDED.metadata,
    model = EXCLUDED.model, model_name = EXCLUDED.model_name, stored_at = EXCLUDED.stored_at
WHERE stored.dimensions = EXCLUDED.dimensions
"""
_RESULT = " RETURNING external_id, xmax = 0, created_at, stored_at"


def store_vectors(namespace: str, vectors: Sequence[NewVector], *, overwrite: bool) -> list[Stored]:
    """Store all of ``vectors`` or none; answers in their order.

    Raises ApiError: 400 DUPLICATE_DOCUMENT_ID for an id twice in one call, 400 DIMENSION_CHANGE_NOT_ALLOWED for an
    existing vector of another length, 409 VECTOR_ALREADY_EXISTS without ``overwrite``.
    """
    ids = [vector.external_id for vector in vectors]
    _refuse_duplicates(ids)
    now = timezone.now()
    params: list[Any] = [
        current_project_id(),
        namespace,
        now,
        now,
        [uuid7() for _ in vectors],
        ids,
        [orjson.dumps(vector.values, option=orjson.OPT_SERIALIZE_NUMPY).decode() for vector in vectors],
        [vector.document for vector in vectors],
        [orjson.dumps(vector.metadata).decode() for vector in vectors],
        [vector.model for vector in vectors],
        [vector.model_name for vector in vectors],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT + (_OVERWRITE if overwrite else "NOTHING") + _RESULT, params)
        stored = {row[0]: Stored(*row) for row in cursor.fetchall()}
    for external_id in ids:
        if external_id not in stored:
            raise _not_stored(namespace, external_id, overwrite)
    return [stored[external_id] for external_id in ids]


def _refuse_duplicates(ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for external_id in ids:
        if external_id in seen:
            raise ApiError(400, "DUPLICATE_DOCUMENT_ID", f"The id '{external_id}' is given twice in one request.")
        seen.add(external_id)


def _not_stored(namespace: str, external_id: str, overwrite: bool) -> ApiError:
    if overwrite:
        return ApiError(
            400,
            "DIMENSION_CHANGE_NOT_ALLOWED",
            f"Vector '{external_id}' in namespace '{namespace}' has another dimension. Delete it first.",
        )
    return ApiError(
        409,
        "VECTOR_ALREADY_EXISTS",
        f"Vector '{external_id}' already exists in namespace '{namespace}'. Use upsert=True to replace it.",
    )


@dataclass(frozen=True)
class Search:
    """What to look for. ``model`` None takes vectors of any model of that length."""

    namespace: str
    values: Sequence[float]
    limit: int
    threshold: float = 0.0
    conditions: Sequence[Condition] = ()
    model: str | None = None


@dataclass(frozen=True, slots=True)
class FoundVector:
    """What a search tells of a vector; ``embedding`` is empty when it was not asked for."""

    external_id: str
    namespace: str
    document: str
    model: str
    model_name: str
    dimensions: int
    created_at: datetime
    metadata: Any
    embedding: Floats


@dataclass(frozen=True, slots=True)
class Match:
    """A vector and how like the question it is, in [0, 1]."""

    vector: FoundVector
    score: float


def search_vectors(wanted: Search, *, with_values: bool) -> list[Match]:
    """Best first, ties oldest first. Without ``with_values`` the vectors themselves are not loaded."""
    where, params = compile_to_sql(wanted.conditions, "metadata")
    # A vector that the caller brought has no model; vectors of two models are never compared.
    model_rule, model_params = ("TRUE", []) if wanted.model is None else ("model IN (%s, '')", [wanted.model])
    nearest = find_nearest(
        Neighbours(
            TABLE,
            orjson.dumps(wanted.values, option=orjson.OPT_SERIALIZE_NUMPY).decode(),
            len(wanted.values),
            wanted.limit,
            f"namespace = %s AND {model_rule} AND {where}",
            [wanted.namespace, *model_params, *params],
        )
    )
    scores = {row_id: score for row_id, score in nearest if score >= wanted.threshold}
    note_matches(list(scores), timezone.now())
    rows = _read(list(scores), with_values)
    return [Match(rows[row_id], score) for row_id, score in scores.items() if row_id in rows]


_READ = f"""
SELECT id, external_id, namespace, document, model, model_name, dimensions, created_at, metadata::text, {{values}}
FROM {TABLE} WHERE project_id = %s AND id = ANY(%s::uuid[])
"""
_NOTHING: Floats = np.empty(0, dtype=np.float32)


def _read(ids: list[UUID], with_values: bool) -> dict[UUID, FoundVector]:
    """These vectors by id. In the binary format: parsing 150 from text took as long as all else of a search."""
    sql = _READ.format(values="embedding" if with_values else "NULL::bytea")
    found = {}
    for row_id, *columns, metadata, sent in fetch_prepared(sql, [current_project_id(), ids]):
        external_id, namespace, document, model, name, dimensions, created_at = columns
        values = _NOTHING if sent is None else _numbers(sent)
        found[row_id] = FoundVector(
            external_id, namespace, document, model, name, dimensions, created_at, orjson.loads(metadata), values
        )
    return found


def _numbers(sent: bytes) -> Floats:
    """As pgvector sends a vector: its length and nothing, 16 bits each, then big-endian floats."""
    return np.frombuffer(sent, dtype=">f4", offset=4).astype(np.float32)


def _rows(with_values: bool) -> QuerySet[ZeroVector]:
    rows: QuerySet[ZeroVector] = ZeroVector.objects.all()
    return rows if with_values else rows.defer("embedding")


def get_vector(namespace: str, external_id: str, *, with_values: bool = False) -> ZeroVector:
    """One vector. Raises ApiError 404."""
    vector = _rows(with_values).filter(namespace=namespace, external_id=external_id).first()
    if vector is None:
        raise vector_not_found(external_id, namespace)
    return vector


def get_vectors(namespace: str, ids: Sequence[str], *, with_values: bool) -> list[ZeroVector]:
    """Those of ``ids`` that exist, in their order."""
    found = {row.external_id: row for row in _rows(with_values).filter(namespace=namespace, external_id__in=ids)}
    return [found[external_id] for external_id in ids if external_id in found]


def list_vectors(
    namespace: str, *, limit: int, offset: int, conditions: Sequence[Condition] = ()
) -> tuple[list[ZeroVector], int]:
    """A page, newest first, and how many there are in all."""
    rows = _matching(namespace, conditions)
    page = rows.defer("embedding").order_by("-created_at", "-id")[offset : offset + limit]
    return list(page), rows.count()


def _matching(namespace: str, conditions: Sequence[Condition]) -> QuerySet[ZeroVector]:
    rows: QuerySet[ZeroVector] = ZeroVector.objects.filter(namespace=namespace)
    if conditions:
        where, params = compile_to_sql(conditions, f"{TABLE}.metadata")
        rows = rows.extra(where=[where], params=params)  # noqa: S610 - the text is ours, values are parameters
    return rows


def delete_vectors(namespace: str, ids: Sequence[str]) -> int:
    """Remove those of ``ids`` that exist. Returns how many."""
    deleted: int = ZeroVector.objects.filter(namespace=namespace, external_id__in=ids).delete()[0]
    return deleted


def delete_matching(namespace: str, conditions: Sequence[Condition]) -> int:
    """Remove everything in the namespace that matches; all of it without conditions. Returns how many."""
    deleted: int = _matching(namespace, conditions).delete()[0]
    return deleted


def replace_metadata(namespace: str, external_id: str, metadata: dict[str, Any]) -> ZeroVector:
    """Give a vector other metadata. Raises ApiError 404."""
    vector = get_vector(namespace, external_id)
    vector.metadata, vector.stored_at = metadata, timezone.now()
    vector.save(update_fields=["metadata", "stored_at"])
    return vector


def statistics(namespace: str | None) -> dict[str, Any]:
    """``{total_vectors, dimensions, namespaces, storage_bytes}`` of one namespace or of all.

    ``dimensions`` is the length of most vectors, None when there are none.
    """
    rows = ZeroVector.objects.filter(namespace=namespace) if namespace else ZeroVector.objects.all()
    lengths = rows.values_list("dimensions").annotate(count=Count("id")).order_by("-count")
    by_length = [(length, count) for length, count in lengths]
    names = [(name, count) for name, count in usage.namespaces() if namespace in (None, name)]
    return {
        "total_vectors": sum(count for _, count in by_length),
        "dimensions": by_length[0][0] if by_length else None,
        "namespaces": [name for name, _ in names],
        "vectors_by_namespace": dict(names),
        "storage_bytes": usage.stored_bytes(namespace),
    }
