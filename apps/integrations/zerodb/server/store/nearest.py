"""Rows nearest to a vector, inside one project.

Under row security an HNSW index first finds neighbours of everybody and then drops other projects' rows: asked
plainly, it returns too few. So:

* few candidates are compared one by one, exactly;
* many go through the index with ``iterative_scan``, which goes on until enough rows have passed, and
  ``ef_search`` raised; if it still gives up early, the exact way answers. PostgreSQL would not choose the index by
  itself: it can't know how many rows the policy lets through, guesses 0.5 %, and sorts them all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from apps.integrations.zerodb.server.walls import current_project_id

EXACT_UP_TO = 10_000
"""Candidates up to which each is compared: exact, at half a microsecond each.

The smaller a project's share of all vectors, the wider the index has to search. Among 100,000 vectors it is slower than
comparing below 7,000 and finds 84 to 97 % of the neighbours there; among more vectors both limits lie higher
(docs/performance.md).
"""
_EF_SEARCH = 100
_MANY_FOR = 60.0
"""Seconds for which candidates that were found to be many are not counted again: counting takes as long as a search.

Should they become few meanwhile, the answer is as full as ever, though only as exact as the index.
"""
_MOST_KNOWN = 10_000
_many: dict[str, float] = {}
# The index orders by distance alone, and loosely; with some spare rows the order by (score, age) is right at the cut.
_SPARE = 10


@dataclass(frozen=True)
class Neighbours:
    """What to look for. ``table`` and ``where`` are ours, ``params`` are the values for ``where``."""

    table: str
    vector: str
    dimensions: int
    limit: int
    where: str = "TRUE"
    params: Sequence[Any] = field(default_factory=list)


def find_nearest(wanted: Neighbours) -> list[tuple[UUID, float]]:
    """Ids and cosine similarities, best first, ties oldest first; all there are when fewer than ``limit``."""
    if _are_few(wanted):
        return _exact(wanted)
    found = _by_index(wanted)
    return found if len(found) >= wanted.limit else _exact(wanted)


def _are_few(wanted: Neighbours) -> bool:
    """Whether so few rows may be compared that each is. The whole project is counted first: its key is enough."""
    project_id, now = current_project_id(), time.monotonic()
    candidates = repr((project_id, wanted.table, _filter(wanted), wanted.params))
    if _many.get(candidates, 0.0) > now:
        return False
    if _count(wanted, "project_id = %s", [project_id]) <= EXACT_UP_TO:
        return True
    if _count(wanted, _filter(wanted), [project_id, *wanted.params]) <= EXACT_UP_TO:
        return True
    if len(_many) >= _MOST_KNOWN:
        _many.clear()
    _many[candidates] = now + _MANY_FOR
    return False


def _count(wanted: Neighbours, condition: str, params: Sequence[Any]) -> int:
    """How many rows there are, counted no further than matters."""
    some = f"SELECT 1 FROM {wanted.table} WHERE {condition} LIMIT {EXACT_UP_TO + 1}"
    return int(_run(f"SELECT count(*) FROM ({some}) AS counted", params)[0][0])


def _filter(wanted: Neighbours) -> str:
    return f"project_id = %s AND dimensions = {wanted.dimensions:d} AND {wanted.where}"


def _distance(wanted: Neighbours) -> str:
    length = f"vector({wanted.dimensions:d})"
    return f"embedding::{length} <=> %s::{length}"


def _exact(wanted: Neighbours) -> list[tuple[UUID, float]]:
    # "+ 0" keeps the planner from the index.
    sql = (
        f"SELECT id, distance FROM (SELECT id, created_at, ({_distance(wanted)}) + 0 AS distance "
        f"FROM {wanted.table} WHERE {_filter(wanted)} OFFSET 0) AS compared "
        f"ORDER BY distance, created_at, id LIMIT {wanted.limit:d}"
    )
    return _similarities(_run(sql, [wanted.vector, current_project_id(), *wanted.params]))


def _by_index(wanted: Neighbours) -> list[tuple[UUID, float]]:
    # The vector is sent and read once: as text it is as long as all else together.
    length = f"vector({wanted.dimensions:d})"
    distance = f"embedding::{length} <=> (SELECT vector FROM asked)"
    sql = (
        f"WITH asked AS MATERIALIZED (SELECT %s::{length} AS vector), "
        f"near AS MATERIALIZED (SELECT id, created_at, {distance} AS distance FROM {wanted.table} "
        f"WHERE {_filter(wanted)} ORDER BY {distance} LIMIT {wanted.limit + _SPARE:d}) "
        f"SELECT id, distance FROM near ORDER BY distance + 0, created_at, id LIMIT {wanted.limit:d}"
    )
    with _index_preferred(max(_EF_SEARCH, min(1000, wanted.limit + _SPARE))):
        return _similarities(_run(sql, [wanted.vector, current_project_id(), *wanted.params]))


@contextmanager
def _index_preferred(ef_search: int) -> Iterator[None]:
    """Statements in here take the index's order instead of sorting, if there is an index."""
    _run(
        "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %s, true), "
        "set_config('enable_sort', 'off', true)",
        [str(ef_search)],
    )
    yield
    # After an error there is nothing to put back: the transaction is over, and its settings with it.
    _run("SELECT set_config('enable_sort', 'on', true)", [])


def _run(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _similarities(rows: Sequence[tuple[UUID, float]]) -> list[tuple[UUID, float]]:
    return [(row_id, similarity(distance)) for row_id, distance in rows]


def similarity(distance: float) -> float:
    """Cosine similarity in [0, 1], to six digits: a text is 1.0 like itself, not 0.99999994."""
    if distance != distance:  # a vector of zeros has no direction, and NaN for a distance
        return 0.0
    return round(min(1.0, max(0.0, 1.0 - distance)), 6)
