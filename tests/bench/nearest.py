"""V1, V2: how much of the exact answer a vector search under row security finds, and how long it takes."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from django.utils import timezone
from psycopg.types.json import Jsonb

from apps.accounts.identifiers import uuid7
from apps.integrations.zerodb.server.store import nearest
from apps.integrations.zerodb.server.store.vectors import TABLE
from apps.integrations.zerodb.server.walls import PROJECT_WALL, project
from tests import database
from tests.bench.bulk import NAME, insert
from tests.bench.measure import Figure, compare
from tests.bench.world import World

PROJECTS, EACH, DIMENSIONS, CENTRES = 20, 5000, 384, 500
QUESTIONS, WANTED = 200, 10
INDEX = "zerodb_vector_nearest_384"

_COLUMNS = (
    "id project_id created_at stored_at namespace external_id dimensions embedding document metadata model model_name"
)
_TYPES = "uuid uuid timestamptz timestamptz varchar varchar int2 bytea text jsonb varchar varchar"
Found = list[tuple[UUID, float]]


def v1(world: World) -> Iterator[Figure]:
    """A search as the product does it, against comparing all; and both of its ways by themselves."""
    source = np.random.default_rng(1)
    centres = _unit(source.normal(size=(CENTRES, DIMENSIONS)))
    projects = [uuid4() for _ in range(PROJECTS)]
    fill(world, dict.fromkeys(projects, EACH), centres, source)
    asked = [wanted(_near(centres, 1, source)[0]) for _ in range(QUESTIONS)]
    owner = random.Random(1).choice(projects)
    truth, exact_ms = answers(owner, asked, nearest._exact)
    found, ms = answers(owner, asked, nearest.find_nearest)
    by_index, index_ms = answers(owner, asked, nearest._by_index)
    value = recall(truth, found)
    full = sum(len(answer) == WANTED for answer in found)
    figure = Figure(
        "V1",
        f"vector search in a project of {EACH:,} of {PROJECTS * EACH:,} vectors: recall@10, all answers full",
        value,
        min(value, recall(truth, by_index)),
        "≥ 0.95",
        value >= 0.95 and full == QUESTIONS,
        unit="recall",
        parts={
            "full_answers_of_200": full,
            "ms": ms,
            "recall_by_index_alone": round(recall(truth, by_index), 4),
            "by_index_ms": index_ms,
            "exact_ms": exact_ms,
        },
        note=f"compared one by one up to {nearest.EXACT_UP_TO:,} vectors",
    )
    yield figure
    world.owner_sql(f"TRUNCATE {TABLE}")


def v2(world: World) -> Iterator[Figure]:
    """A search in one project of all the vectors, against the same index asked by nobody in particular."""
    source = np.random.default_rng(2)
    centres = _unit(source.normal(size=(CENTRES, DIMENSIONS)))
    owner = uuid4()
    fill(world, {owner: PROJECTS * EACH}, centres, source)
    asked = [wanted(_near(centres, 1, source)[0]) for _ in range(QUESTIONS)]
    truth, exact_ms = answers(owner, asked, nearest._exact)
    found, _ = answers(owner, asked, nearest.find_nearest)
    full = sum(len(answer) == WANTED for answer in found)
    ours, theirs = cycle(asked), cycle(asked)
    # To its owner alone the table is open then; the product's role stays behind the wall.
    world.owner_sql(f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY")
    try:
        with database.owner_connection(NAME) as everybody:
            everybody.execute(f"SET hnsw.ef_search = {nearest._EF_SEARCH}")

            def search() -> None:
                with project(owner):
                    assert len(nearest.find_nearest(next(ours))) == WANTED

            def unfiltered() -> None:
                distance = f"embedding::vector({DIMENSIONS}) <=> %s::vector({DIMENSIONS})"
                sql = f"SELECT id, {distance} FROM {TABLE} WHERE dimensions = {DIMENSIONS} ORDER BY {distance} LIMIT 10"
                vector = next(theirs).vector
                assert len(everybody.execute(sql, [vector, vector]).fetchall()) == WANTED  # type: ignore[call-overload]

            ratio = compare(search, unfiltered, blocks=50, times=4)
    finally:
        world.owner_sql(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    near = recall(truth, found)
    yield Figure(
        "V2",
        f"vector search in one project of {PROJECTS * EACH:,} vectors ÷ the unfiltered index",
        ratio.value,
        ratio.upper95,
        "≤ 2, recall@10 ≥ 0.95, all answers full",
        ratio.value <= 2 and near >= 0.95 and full == QUESTIONS,
        control=ratio.control,
        parts={
            "recall": round(near, 4),
            "full_answers_of_200": full,
            "ms": round(ratio.one * 1000, 2),
            "unfiltered_ms": round(ratio.other * 1000, 2),
            "exact_ms": exact_ms,
        },
    )
    world.owner_sql(f"TRUNCATE {TABLE}")


def wanted(vector: Any) -> nearest.Neighbours:
    """The ten nearest to ``vector``."""
    text = "[" + ",".join(f"{number:.6f}" for number in vector) + "]"
    return nearest.Neighbours(TABLE, text, DIMENSIONS, WANTED, "namespace = %s", ["bench"])


def answers(owner: UUID, asked: list[nearest.Neighbours], ask: Callable[[Any], Found]) -> tuple[list[Found], float]:
    """What each question finds, and the median milliseconds of one, its transaction included."""
    found, times = [], []
    for question in [*asked[:5], *asked]:
        began = time.perf_counter()
        with project(owner):
            found.append(ask(question))
        times.append(time.perf_counter() - began)
    return found[5:], round(median(times[5:]) * 1000, 2)


def recall(truth: list[Found], found: list[Found]) -> float:
    """The mean share of the true neighbours that were found."""
    shares = [
        len({key for key, _ in right} & {key for key, _ in answer}) / len(right)
        for right, answer in zip(truth, found, strict=True)
    ]
    return sum(shares) / len(shares)


def fill(world: World, sizes: dict[UUID, int], centres: Any, source: Any) -> None:
    """Vectors around ``centres`` for each project, among one another, and the index built over all of them."""
    owners = [owner for owner, size in sizes.items() for _ in range(size)]
    random.Random(2).shuffle(owners)
    with database.owner_connection(NAME) as owner:
        definition = owner.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX]).fetchone()
    assert definition is not None
    world.owner_sql(f"DROP INDEX {INDEX}")
    for start in range(0, len(owners), 10_000):
        some = owners[start : start + 10_000]
        by_owner: dict[UUID, list[Any]] = {}
        for owner_id, vector in zip(some, _near(centres, len(some), source), strict=True):
            by_owner.setdefault(owner_id, []).append(vector)
        for owner_id, vectors in by_owner.items():
            _insert(owner_id, vectors)
    with database.owner_connection(NAME) as owner:
        owner.execute("SET maintenance_work_mem = '1GB'")
        owner.execute(str(definition[0]))  # type: ignore[call-overload]
        owner.execute(f"VACUUM ANALYZE {TABLE}")


def _insert(owner: UUID, vectors: list[Any]) -> None:
    now, rows = timezone.now(), []
    for vector in vectors:
        key = uuid7()
        packed = struct.pack(">HH", DIMENSIONS, 0) + vector.astype(">f4").tobytes()
        rows.append([key, owner, now, now, "bench", str(key), DIMENSIONS, packed, "", Jsonb({}), "", ""])
    insert(TABLE, _COLUMNS, rows, PROJECT_WALL, owner, _TYPES)


def _near(centres: Any, count: int, source: Any) -> Any:
    chosen = centres[source.integers(0, len(centres), size=count)]
    return _unit(chosen + 0.05 * source.normal(size=chosen.shape))


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
