"""Which way a vector search takes, and that both find the same."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest
from django.db import connection

from apps.integrations.zerodb.server.store import nearest
from apps.integrations.zerodb.server.store.vectors import NewVector, Search, search_vectors, store_vectors
from apps.integrations.zerodb.server.walls import project

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-03")]

VECTORS = np.random.default_rng(7).normal(size=(60, 384)).astype(np.float32)
OTHERS = np.random.default_rng(8).normal(size=(200, 384)).astype(np.float32)


@pytest.fixture
def projects(monkeypatch):
    """One with 60 vectors that are many, beside one with 200."""
    monkeypatch.setattr(nearest, "EXACT_UP_TO", 20)
    monkeypatch.setattr(nearest, "_many", {})
    mine, other = uuid4(), uuid4()
    for owner, vectors in [(mine, VECTORS), (other, OTHERS)]:
        with project(owner):
            store_vectors("n", [_new(number, vector) for number, vector in enumerate(vectors)], overwrite=False)
    return mine, other


def _new(number, vector):
    return NewVector(str(number), vector, "", {"even": number % 2 == 0}, "", "")


def _search(vector, limit=10):
    return [match.vector.external_id for match in search_vectors(Search("n", vector, limit), with_values=False)]


def _index_scans():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_numscans('zerodb_vector_nearest_384'::regclass)")
        return cursor.fetchone()[0]


def _best(vector, limit):
    return [str(number) for number in np.argsort(-_unit(VECTORS) @ _unit(vector))[:limit]]


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_many_candidates_are_looked_for_in_the_index_though_postgresql_would_sort_them(projects):
    with project(projects[0]):
        found = _search(VECTORS[3])
        assert _index_scans() == 1
    assert len(found) == len(set(found)) == 10
    assert found[0] == "3"
    # The index is built at random and may miss one now and then (measured: 0.97 to 1.00 of ten).
    assert len(set(found) & set(_best(VECTORS[3], 10))) >= 8


def test_few_candidates_are_compared_one_by_one(projects, monkeypatch):
    monkeypatch.setattr(nearest, "EXACT_UP_TO", 60)
    with project(projects[0]):
        found = _search(VECTORS[3])
        assert _index_scans() == 0
    assert found == _best(VECTORS[3], 10)


def test_a_search_among_many_leaves_no_settings_to_the_rest_of_its_transaction(projects):
    with project(projects[0]):
        _search(VECTORS[3])
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_sort")
            assert cursor.fetchone() == ("on",)


def test_many_are_not_counted_at_each_search(projects, django_assert_num_queries):
    with project(projects[0]):
        with django_assert_num_queries(7):  # counted twice, settings, found, settings, noted, read
            _search(VECTORS[3])
        with django_assert_num_queries(5):
            _search(VECTORS[4])


def test_who_is_known_to_have_many_and_now_has_few_still_gets_all(projects):
    mine, _ = projects
    with project(mine):
        _search(VECTORS[3])
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM integrations_zerovector WHERE project_id = %s AND external_id >= '2'", [mine])
        assert len(_search(VECTORS[1])) == 10
        assert set(_search(VECTORS[1], 50)) == {str(number) for number in range(60) if str(number) < "2"}
