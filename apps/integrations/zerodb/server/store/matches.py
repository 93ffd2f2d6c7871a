"""Which vectors are found, and what is kept for nothing. All in the project's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.identifiers import uuid7
from apps.integrations.models import ZeroMatch, ZeroVector
from apps.integrations.zerodb.server.walls import current_project_id

STALE_AFTER = timedelta(days=90)
_EXACT = timedelta(days=7)
"""How exact the day of a match is: most searches write nothing."""

_NEW = """
SELECT given.id FROM unnest(%s::uuid[]) AS given(id) WHERE NOT EXISTS (
    SELECT FROM {match} AS known WHERE known.project_id = %s AND known.vector_id = given.id AND known.matched_on > %s
)
"""
_NOTE = """
INSERT INTO {match} (id, project_id, vector_id, matched_on, created_at)
SELECT given.id, %s, given.vector_id, %s, %s FROM unnest(%s::uuid[], %s::uuid[]) AS given(id, vector_id)
ON CONFLICT (project_id, vector_id) DO UPDATE SET matched_on = EXCLUDED.matched_on
"""


def note_matches(ids: Sequence[UUID], now: datetime) -> None:
    """Keep that a search has found these vectors."""
    if not ids:
        return
    table, project_id = ZeroMatch._meta.db_table, current_project_id()
    with connection.cursor() as cursor:
        cursor.execute(_NEW.format(match=table), [list(ids), project_id, (now - _EXACT).date()])
        # In one order for everybody, so that nobody waits in a ring.
        new = sorted(row[0] for row in cursor.fetchall())
        if new:
            values: list[Any] = [project_id, now.date(), now, [uuid7() for _ in new], new]
            cursor.execute(_NOTE.format(match=table), values)


@dataclass(frozen=True)
class Kept:
    """What is kept for nothing: no vector is in two of the numbers. ``unused`` namespaces, each with its vectors."""

    duplicates: int
    stale: int
    unused: list[tuple[str, int]]


_KEPT = """
WITH known AS MATERIALIZED (
    SELECT vector.namespace, vector.created_at < %s AS old, match.matched_on >= %s AS found,
        vector.document <> '' AND row_number() OVER (
            PARTITION BY vector.namespace, vector.model, md5(vector.document) ORDER BY vector.created_at, vector.id
        ) > 1 AS copy
    FROM {vector} AS vector
    LEFT JOIN {match} AS match ON match.project_id = vector.project_id AND match.vector_id = vector.id
    WHERE vector.project_id = %s
        AND NOT (vector.namespace, vector.external_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
)
SELECT namespace, bool_and(old) AND NOT bool_or(COALESCE(found, false)) AS unused, count(*),
    count(*) FILTER (WHERE old AND found IS NOT TRUE),
    count(*) FILTER (WHERE copy AND NOT (old AND found IS NOT TRUE))
FROM known GROUP BY namespace ORDER BY count(*) DESC, namespace
"""


def kept_for_nothing(now: datetime, *, but: Sequence[tuple[str, str]] = ()) -> Kept:
    """What searches do not find and what is there twice, without the (namespace, external id) in ``but``."""
    params: list[Any] = [
        now - STALE_AFTER,
        (now - STALE_AFTER).date(),
        current_project_id(),
        [namespace for namespace, _ in but],
        [external_id for _, external_id in but],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_KEPT.format(vector=ZeroVector._meta.db_table, match=ZeroMatch._meta.db_table), params)
        rows = cursor.fetchall()
    used = [row for row in rows if not row[1]]
    return Kept(
        duplicates=sum(row[4] for row in used),
        stale=sum(row[3] for row in used),
        unused=[(row[0], row[2]) for row in rows if row[1]],
    )


def forget_matches_of_removed() -> int:
    """Remove what is known of vectors that are gone. Returns how many."""
    gone = ZeroMatch.objects.exclude(vector_id__in=ZeroVector.objects.values("id"))
    return int(gone.delete()[0])
