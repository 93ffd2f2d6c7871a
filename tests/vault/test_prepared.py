"""Statements that PostgreSQL keeps prepared: the same answers, a bounded number, errors as Django's."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from apps.vault import prepared
from apps.vault.prepared import fetch_prepared

pytestmark = [pytest.mark.covers("V-03", "O-04"), pytest.mark.django_db(transaction=True)]
KEY = UUID("01234567-89ab-7def-8123-456789abcdef")


def kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'strongroom%'")
        count: int = cursor.fetchone()[0]
    return count


@pytest.fixture(autouse=True)
def _fresh(transactional_db: None) -> None:
    connection.close()
    connection.ensure_connection()


def test_values_come_back_as_they_went() -> None:
    asked = [KEY, 1 << 40, b"\0bytes", "50 % text", None, [1 << 40, -1]]
    sql = "SELECT %s, %s, %s, %s || ' 10 %%', %s::text, %s"
    assert fetch_prepared(sql, asked) == [(KEY, 1 << 40, b"\0bytes", "50 % text 10 %", None, [1 << 40, -1])]


def test_numbers_of_another_size_are_another_statement() -> None:
    assert [fetch_prepared("SELECT %s", [number])[0][0] for number in (1, 1 << 20, 1 << 40, 2)] == [
        1,
        1 << 20,
        1 << 40,
        2,
    ]
    assert kept() == 3


def test_a_connection_keeps_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST", 3)
    for number in (*range(6), 0, 5):
        assert fetch_prepared(f"SELECT {number} + %s", [1]) == [(number + 1,)]
        assert kept() <= 3


def test_a_fault_is_django_s_and_the_statement_lives_on() -> None:
    assert fetch_prepared("SELECT 6 / %s", [2]) == [(3,)]
    with pytest.raises(DatabaseError), transaction.atomic():
        fetch_prepared("SELECT 6 / %s", [0])
    assert fetch_prepared("SELECT 6 / %s", [3]) == [(2,)]


def test_one_that_can_t_be_prepared_leaves_nothing_behind() -> None:
    for _ in range(2):
        with pytest.raises(DatabaseError):
            fetch_prepared("SELECT nothing_of_this_name WHERE %s", [True])
    assert kept() == 0


def test_one_that_somebody_discarded_is_prepared_anew() -> None:
    assert fetch_prepared("SELECT 7 + %s", [1]) == [(8,)]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(DatabaseError):
        fetch_prepared("SELECT 7 + %s", [1])
    assert fetch_prepared("SELECT 7 + %s", [1]) == [(8,)]


def test_a_connection_that_ends_is_an_operational_error() -> None:
    pid = connection.connection.info.backend_pid
    assert fetch_prepared("SELECT 8 + %s", [1]) == [(9,)]
    wanted = connection.get_connection_params()
    with psycopg.connect(**{name: wanted[name] for name in ("dbname", "user", "password", "host", "port")}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises(OperationalError):
        fetch_prepared("SELECT 8 + %s", [1])
    connection.close()
