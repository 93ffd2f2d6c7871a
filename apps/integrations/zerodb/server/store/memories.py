"""Remembered facts of the project in scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from apps.integrations.models import ZeroMemory
from apps.integrations.zerodb.embedding import DEFAULT_MODEL
from apps.integrations.zerodb.server.errors import memory_not_found
from apps.integrations.zerodb.server.metadata_filter import Condition, compile_to_sql
from apps.integrations.zerodb.server.store.nearest import Neighbours, find_nearest
from apps.integrations.zerodb.server.walls import current_project_id

if TYPE_CHECKING:
    from apps.integrations.zerodb.server.memory.requests import ListRequest, NewMemory, SearchRequest

TABLE = ZeroMemory._meta.db_table
_NOT_EXPIRED = "(expires_at IS NULL OR expires_at > now())"


@dataclass(frozen=True)
class Recalled:
    """A memory and how well it answers, in [0, 1]."""

    memory: ZeroMemory
    score: float


def embed_contents(memories: Sequence[NewMemory]) -> list[list[float]]:
    """Vectors of the contents. Call it outside of a transaction: it is the slow part."""
    vectors: list[list[float]] = DEFAULT_MODEL.engine.embed([memory.content for memory in memories]).tolist()
    return vectors


def remember(memories: Sequence[NewMemory], vectors: Sequence[list[float]]) -> list[ZeroMemory]:
    """Store all of ``memories`` with their vectors, or none."""
    rows = [
        ZeroMemory(**asdict(memory), embedding=vector, dimensions=len(vector), model=DEFAULT_MODEL.served_by)
        for memory, vector in zip(memories, vectors, strict=True)
    ]
    return list(ZeroMemory.objects.bulk_create(rows))


def _alive() -> QuerySet[ZeroMemory]:
    rows = ZeroMemory.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    return rows.defer("embedding")


def get_memory(memory_id: str) -> ZeroMemory:
    """One memory. Raises ApiError 404."""
    try:
        key = UUID(memory_id)
    except ValueError:
        raise memory_not_found(memory_id) from None
    memory = _alive().filter(pk=key).first()
    if memory is None:
        raise memory_not_found(memory_id)
    return memory


def list_memories(wanted: ListRequest) -> tuple[list[ZeroMemory], int]:
    """A page, newest first, and how many match in all."""
    rows = _alive().filter(**wanted.equal)
    if wanted.tags:
        rows = rows.filter(tags__contains=wanted.tags)
    if wanted.search:
        rows = rows.filter(Q(content__icontains=wanted.search) | Q(title__icontains=wanted.search))
    for position, (name, value) in enumerate(wanted.metadata.items()):
        # Under a name of our own: the caller's may be anything.
        rows = rows.alias(**{f"field_{position}": KeyTextTransform(name, "metadata")}).filter(
            **{f"field_{position}": value}
        )
    page = rows.order_by("-created_at", "-id")[wanted.offset : wanted.offset + wanted.limit]
    return list(page), rows.count()


def change_memory(memory_id: str, changes: Mapping[str, Any], vector: list[float] | None) -> ZeroMemory:
    """Set fields of a memory; ``vector`` is that of a new content. Raises ApiError 404."""
    memory = get_memory(memory_id)
    fields = dict(changes)
    if vector is not None:
        fields |= {"embedding": vector, "dimensions": len(vector), "model": DEFAULT_MODEL.served_by}
    for name, value in fields.items():
        setattr(memory, name, value)
    memory.save(update_fields=[*fields, "updated_at"])
    return memory


def forget(memory_id: str) -> None:
    """Remove a memory. Raises ApiError 404."""
    get_memory(memory_id).delete()


def recall(wanted: SearchRequest, vector: Sequence[float] | None) -> list[Recalled]:
    """Memories that answer ``wanted``, best first: by meaning with a ``vector``, by words without."""
    if vector is None:
        return _by_words(wanted)
    where, params = _conditions(wanted.equal, wanted.conditions)
    return _near(vector, DEFAULT_MODEL.served_by, wanted.limit, wanted.threshold, where, params)


def related(memory_id: str, limit: int) -> list[Recalled]:
    """Memories most like one of them, without itself. Raises ApiError 404."""
    memory = get_memory(memory_id)
    return _near(memory.embedding, memory.model, limit, 0.0, "id <> %s", [memory.id])


def _near(
    vector: Sequence[float], model: str, limit: int, threshold: float, where: str, params: list[Any]
) -> list[Recalled]:
    nearest = find_nearest(
        Neighbours(
            TABLE,
            orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY).decode(),
            len(vector),
            limit,
            f"model = %s AND {_NOT_EXPIRED} AND {where}",
            [model, *params],
        )
    )
    scores = {row_id: score for row_id, score in nearest if score >= threshold}
    rows = _alive().in_bulk(list(scores))
    return [Recalled(rows[row_id], score) for row_id, score in scores.items() if row_id in rows]


def _conditions(equal: Mapping[str, str], conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    where, params = compile_to_sql(conditions, "metadata")
    # Names of columns come from the request reader, never from the request.
    return " AND ".join([*(f"{name} = %s" for name in equal), where]), [*equal.values(), *params]


def _by_words(wanted: SearchRequest) -> list[Recalled]:
    """Score: the share of the question's words that the memory holds. Newest first among equals."""
    words = list(dict.fromkeys(wanted.query.casefold().split()))
    where, params = _conditions(wanted.equal, wanted.conditions)
    held = " + ".join("(position(%s IN lower(title || ' ' || content)) > 0)::int" for _ in words)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, held FROM (SELECT id, created_at, {held} AS held FROM {TABLE} "
            f"WHERE project_id = %s AND {_NOT_EXPIRED} AND {where}) AS counted "
            "WHERE held > 0 AND held::float / %s >= %s ORDER BY held DESC, created_at DESC LIMIT %s",
            [*words, current_project_id(), *params, len(words), wanted.threshold, wanted.limit],
        )
        found = cursor.fetchall()
    rows = _alive().in_bulk([row_id for row_id, _ in found])
    return [Recalled(rows[row_id], round(count / len(words), 6)) for row_id, count in found if row_id in rows]
