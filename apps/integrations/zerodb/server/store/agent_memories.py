"""The append-only log of agents' runs, of the project in scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Count, Max, Min, QuerySet

from apps.integrations.models import ZeroAgentMemory
from apps.integrations.zerodb.embedding import DEFAULT_MODEL
from apps.integrations.zerodb.server.identifiers import new_memory_id
from apps.integrations.zerodb.server.store.nearest import Neighbours, find_nearest

_TABLE = ZeroAgentMemory._meta.db_table


@dataclass(frozen=True)
class Near:
    """An entry and how like the question it is, in [0, 1]."""

    entry: ZeroAgentMemory
    similarity: float


def embedded(text: str) -> list[float]:
    """The vector of a text. Call it outside of a transaction: it is the slow part."""
    vector: list[float] = DEFAULT_MODEL.engine.embed([text])[0].tolist()
    return vector


def append(entry: Mapping[str, Any], vector: Sequence[float]) -> ZeroAgentMemory:
    """Add an entry."""
    stored: ZeroAgentMemory = ZeroAgentMemory.objects.create(
        memory_id=new_memory_id(),
        embedding=vector,
        dimensions=len(vector),
        model=DEFAULT_MODEL.served_by,
        **entry,
    )
    return stored


def entries(**wanted: Any) -> QuerySet[ZeroAgentMemory]:
    """Entries whose fields have these values, newest first, without their vectors."""
    rows: QuerySet[ZeroAgentMemory] = ZeroAgentMemory.objects.filter(**wanted)
    return rows.defer("embedding").order_by("-created_at", "-id")


def nearest(vector: Sequence[float], *, namespace: str, agent_id: str | None, limit: int) -> list[Near]:
    """Entries most like ``vector``, best first."""
    where, params = "namespace = %s AND model = %s", [namespace, DEFAULT_MODEL.served_by]
    if agent_id is not None:
        where, params = f"{where} AND agent_id = %s", [*params, agent_id]
    found = find_nearest(Neighbours(_TABLE, orjson.dumps(vector).decode(), len(vector), limit, where, params))
    rows = ZeroAgentMemory.objects.defer("embedding").in_bulk([row_id for row_id, _ in found])
    return [Near(rows[row_id], similarity) for row_id, similarity in found if row_id in rows]


def with_vectors(*, namespace: str, agent_id: str | None, since: datetime, limit: int) -> list[ZeroAgentMemory]:
    """The newest entries since a moment, with their vectors."""
    rows = ZeroAgentMemory.objects.filter(namespace=namespace, created_at__gte=since)
    if agent_id is not None:
        rows = rows.filter(agent_id=agent_id)
    return list(rows.order_by("-created_at", "-id")[:limit])


def agents(
    *, limit: int, offset: int, since: datetime | None = None, agent_id: str | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Who wrote entries: ``{agent_id, memory_count, first_seen_at, last_seen_at}``, by id, and how many in all."""
    entries = ZeroAgentMemory.objects.filter(created_at__gte=since) if since else ZeroAgentMemory.objects.all()
    if agent_id is not None:
        entries = entries.filter(agent_id=agent_id)
    rows = (
        entries.values("agent_id")
        .annotate(memory_count=Count("id"), first_seen_at=Min("created_at"), last_seen_at=Max("created_at"))
        .order_by("agent_id")
    )
    return list(rows[offset : offset + limit]), rows.count()
