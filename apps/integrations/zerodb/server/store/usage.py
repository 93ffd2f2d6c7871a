"""How much a project holds. All in the project's scope."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count

from apps.integrations.models import (
    ZeroAgentMemory,
    ZeroEvent,
    ZeroFeedback,
    ZeroMemory,
    ZeroTable,
    ZeroVector,
)
from apps.integrations.zerodb.server.walls import current_project_id

_STORED_BYTES = """
SELECT COALESCE(sum(pg_column_size(embedding) + octet_length(document) + pg_column_size(metadata)), 0)
FROM integrations_zerovector WHERE project_id = %s AND (%s::text IS NULL OR namespace = %s)
"""


MEASURED_EACH_TIME = 5000
"""Vectors up to which their size is always measured: every one is read for it, some ten microseconds each."""
_REMEMBERED = 60
"""Seconds for which the size of more is taken to be what it was."""


def of_project() -> dict[str, Any]:
    """``{vectors_stored, tables_created, events_logged, memories_stored, feedback_stored, storage_mb}``."""
    return {
        "vectors_stored": ZeroVector.objects.count(),
        "tables_created": ZeroTable.objects.count(),
        "events_logged": ZeroEvent.objects.count(),
        "memories_stored": ZeroMemory.objects.count() + ZeroAgentMemory.objects.count(),
        "feedback_stored": ZeroFeedback.objects.count(),
        "storage_mb": round(stored_bytes() / 1_000_000, 3),
    }


def stored_bytes(namespace: str | None = None) -> int:
    """Bytes of vectors with their texts and metadata, of one namespace or of all; of many, what they were lately."""
    rows = ZeroVector.objects.all() if namespace is None else ZeroVector.objects.filter(namespace=namespace)
    if rows[: MEASURED_EACH_TIME + 1].count() <= MEASURED_EACH_TIME:
        return _measured_bytes(namespace)
    key = f"zerodb:bytes:{current_project_id()}:{namespace or ''}"
    known: int | None = cache.get(key)
    if known is None:
        known = _measured_bytes(namespace)
        cache.set(key, known, _REMEMBERED)
    return known


def _measured_bytes(namespace: str | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_STORED_BYTES, (current_project_id(), namespace, namespace))
        return int(cursor.fetchone()[0])


def namespaces() -> list[tuple[str, int]]:
    """Each namespace with its number of vectors, by name."""
    rows = ZeroVector.objects.values_list("namespace").annotate(count=Count("id")).order_by("namespace")
    return [(name, count) for name, count in rows]


_MEMORY_BYTES = """
SELECT (SELECT COALESCE(sum(pg_column_size(embedding) + octet_length(content) + pg_column_size(metadata)), 0)
        FROM integrations_zeromemory WHERE project_id = %s)
     + (SELECT COALESCE(sum(octet_length(content) + pg_column_size(metadata)), 0)
        FROM integrations_zeroagentmemory WHERE project_id = %s)
"""


def memory_bytes() -> int:
    """Bytes of both memories: texts, metadata and their vectors."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMORY_BYTES, [current_project_id(), current_project_id()])
        return int(cursor.fetchone()[0])
