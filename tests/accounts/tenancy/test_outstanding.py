"""What a scope owes PostgreSQL reaches it before anything else does, whatever comes first and however it ends."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.utils import ProgrammingError

from apps.accounts.identifiers import uuid7
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.prepared import fetch_prepared
from tests.accounts.tenancy.conftest import raw
from tests.accounts.tenancy.shelves.models import Shelf
from tests.accounts.tenancy.test_opening import STATE, end_session

pytestmark = [pytest.mark.covers("A-07", "V-03"), pytest.mark.django_db(transaction=True)]

NAMES = "SELECT name FROM shelves_shelf ORDER BY name"
NOBODY = [("", "none")]


class Stop(Exception):
    """Ends a scope the hard way."""


@pytest.fixture(autouse=True)
def _shelves(ours: Account, theirs: Account) -> None:
    connection.close()
    for account, name in ((ours, "ours"), (theirs, "theirs")):
        with tenant(account):
            Shelf.objects.create(name=name)
            assert kept() == [(name,)]
        with tenant(account):
            assert kept() == [(name,)]  # from here on all is prepared


def kept() -> Any:
    return fetch_prepared(NAMES, [])


def _copied() -> Any:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({NAMES}) TO STDOUT") as copy:
        return list(copy.rows())


def _from_an_own_cursor() -> Any:
    assert connection.connection is not None
    return psycopg.Cursor(connection.connection).execute(NAMES).fetchall()


def _after_a_savepoint() -> Any:
    savepoint = transaction.savepoint()
    Shelf.objects.create(name="another")
    transaction.savepoint_rollback(savepoint)
    return raw(NAMES)


def _in_a_block() -> Any:
    with transaction.atomic():
        return raw(NAMES)


def _in_a_block_without_savepoint() -> Any:
    with transaction.atomic(savepoint=False):
        return raw(NAMES)


FIRST: dict[str, Callable[[], Any]] = {
    "a kept read": kept,
    "a statement": lambda: raw(NAMES),
    "a query": lambda: list(Shelf.objects.values_list("name")),
    "a cursor of the server": lambda: [(shelf.name,) for shelf in Shelf.objects.iterator(chunk_size=1)],
    "COPY": _copied,
    "a cursor of psycopg's own": _from_an_own_cursor,
    "a savepoint": _after_a_savepoint,
    "a block": _in_a_block,
    "a block without savepoint": _in_a_block_without_savepoint,
}


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
class TestWhateverComesFirst:
    def test_it_sees_the_rows_of_the_scope_and_leaves_none_behind(
        self, first: Callable[[], Any], ours: Account, theirs: Account
    ) -> None:
        for account, name in ((ours, "ours"), (theirs, "theirs"), (ours, "ours")):
            with tenant(account):
                assert first() == [(name,)]
        assert raw(STATE) == NOBODY
        assert raw(NAMES) == []

    def test_it_does_so_behind_a_kept_read(self, first: Callable[[], Any], ours: Account, theirs: Account) -> None:
        for account, name in ((ours, "ours"), (theirs, "theirs")):
            with tenant(account):
                assert kept() == [(name,)]
                assert first() == [(name,)]
        assert raw(STATE) == NOBODY

    def test_on_a_connection_that_died_meanwhile(self, first: Callable[[], Any], ours: Account) -> None:
        end_session()
        with tenant(ours):
            assert first() == [("ours",)]
            Shelf.objects.create(name="written after the restart")
        assert raw(STATE) == NOBODY
        with tenant(ours):
            assert Shelf.objects.count() == 2

    def test_and_on_one_that_died_when_the_scope_had_begun(self, first: Callable[[], Any], ours: Account) -> None:
        pid = connection.connection.info.backend_pid
        with tenant(ours):
            _end(pid)
            assert first() == [("ours",)]
        assert raw(STATE) == NOBODY

    def test_what_was_written_after_it_is_undone_with_the_scope(self, first: Callable[[], Any], ours: Account) -> None:
        with pytest.raises(Stop), tenant(ours):
            _write_and_stop(first)
        with tenant(ours):
            assert kept() == [("ours",)]


def _write_and_stop(first: Callable[[], Any]) -> None:
    first()
    Shelf.objects.create(name="undone")
    raise Stop


def _end(pid: int) -> None:
    wanted = connection.get_connection_params()
    with psycopg.connect(**{name: wanted[name] for name in ("dbname", "user", "password", "host", "port")}) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def _stop() -> None:
    raise Stop


@pytest.fixture
def round_trips(tmp_path: Path) -> Iterator[Callable[[], int]]:
    """How many questions were sent since the test began: plain ones, and batches up to where they are waited for."""
    path = tmp_path / "trace"
    session = connection.connection
    with path.open("wb") as file:
        session.pgconn.trace(file.fileno())
        yield lambda: len(re.findall(r"\tF\t\d+\t(?:Query|Sync)\b", path.read_text()))
        session.pgconn.untrace()


class TestHowMuchIsSent:
    def test_a_scope_in_which_nothing_is_asked_costs_nothing(self, ours: Account, round_trips: Any) -> None:
        for _ in range(2):
            with tenant(ours):
                pass
            with pytest.raises(Stop), tenant(ours):
                _stop()
            with tenant(ours):
                transaction.set_rollback(True)
        assert round_trips() == 0

    def test_a_kept_read_takes_the_scope_along(self, ours: Account, round_trips: Any) -> None:
        for number in (1, 2, 3):
            with tenant(ours):
                assert kept() == [("ours",)]
            assert round_trips() == number
        assert raw(STATE) == NOBODY

    def test_so_does_each_of_several(self, ours: Account, round_trips: Any) -> None:
        with tenant(ours):
            assert [kept(), kept(), kept()] == [[("ours",)]] * 3
        assert round_trips() == 3

    def test_what_is_not_a_kept_read_waits_for_the_commit(self, ours: Account, round_trips: Any) -> None:
        with tenant(ours):
            assert kept() == raw(NAMES)
            asked = round_trips()
        assert round_trips() == asked + 1


class TestEnding:
    def test_hooks_run_when_nothing_was_asked(self, ours: Account) -> None:
        seen: list[Any] = []
        with tenant(ours):
            transaction.on_commit(lambda: seen.append(raw(STATE)))
        assert seen == [NOBODY]

    def test_and_after_a_kept_read(self, ours: Account) -> None:
        seen: list[Any] = []
        with tenant(ours):
            kept()
            transaction.on_commit(lambda: seen.append(raw(STATE)))
        assert seen == [NOBODY]

    def test_a_fault_in_a_kept_read_ends_the_scope(self, ours: Account) -> None:
        with tenant(ours):
            assert fetch_prepared("SELECT 6 / %s", [2]) == [(3,)]
        with pytest.raises(DatabaseError), tenant(ours):
            fetch_prepared("SELECT 6 / %s", [0])
        assert raw(STATE) == NOBODY
        with tenant(ours):
            assert kept() == [("ours",)]

    def test_one_that_is_caught_leaves_the_scope_as_it_was(self, ours: Account) -> None:
        with tenant(ours):
            assert fetch_prepared("SELECT 6 / %s", [2]) == [(3,)]
        with tenant(ours):
            with pytest.raises(DatabaseError):
                fetch_prepared("SELECT 6 / %s", [0])
            assert kept() == [("ours",)]
            assert raw(NAMES) == [("ours",)]

    def test_one_in_a_block_ends_the_block(self, ours: Account) -> None:
        with tenant(ours):
            assert fetch_prepared("SELECT 6 / %s", [2]) == [(3,)]
            with pytest.raises(IntegrityError), transaction.atomic():
                Shelf.objects.create(name="ours")
            assert kept() == [("ours",)]

    def test_dying_after_a_kept_read_loses_nothing(self, ours: Account) -> None:
        pid = connection.connection.info.backend_pid
        with tenant(ours):
            assert kept() == [("ours",)]
            _end(pid)
        with tenant(ours):
            assert kept() == [("ours",)]
        assert raw(STATE) == NOBODY

    def test_nor_does_dying_between_two_of_them(self, ours: Account) -> None:
        pid = connection.connection.info.backend_pid
        with tenant(ours):
            assert kept() == [("ours",)]
            _end(pid)
            assert kept() == [("ours",)]

    def test_behind_anything_else_it_is_an_error(self, ours: Account) -> None:
        pid = connection.connection.info.backend_pid
        with pytest.raises(OperationalError), tenant(ours):
            _read_around_the_end(pid)
        with tenant(ours):
            assert kept() == [("ours",)]

    def test_closing_is_possible_at_any_time(self, ours: Account) -> None:
        with tenant(ours):
            connection.close()
        with tenant(ours):
            kept()
        connection.close()
        with tenant(ours):
            kept()
            connection.close()
        with tenant(ours):
            assert raw(NAMES) == [("ours",)]

    def test_the_platform_comes_after_an_account_and_before_one(self, ours: Account) -> None:
        for _ in range(2):
            with tenant(ours):
                assert kept() == [("ours",)]
            with platform("look at all shelves"):
                assert kept() == [("ours",), ("theirs",)]


def _read_around_the_end(pid: int) -> None:
    raw(NAMES)
    _end(pid)
    kept()


class TestNothingSlipsBy:
    def test_scopes_nest_before_anything_is_asked(self, ours: Account, theirs: Account) -> None:
        with tenant(ours):
            with tenant(theirs):
                assert kept() == [("theirs",)]
            assert kept() == [("ours",)]
            with pytest.raises(Stop), tenant(theirs):
                _stop()
            assert kept() == [("ours",)]

    def test_a_cursor_made_before_the_scope_is_inside_of_it(self, ours: Account, theirs: Account) -> None:
        with connection.cursor() as cursor:
            for account, name in ((ours, "ours"), (theirs, "theirs")):
                with tenant(account):
                    cursor.execute(NAMES)
                    assert cursor.fetchall() == [(name,)]
            cursor.execute(NAMES)
            assert cursor.fetchall() == []

    def test_psycopg_s_connection_taken_before_the_scope_sees_and_writes_nothing(self, ours: Account) -> None:
        session = connection.connection
        with tenant(ours):
            assert session.execute(NAMES).fetchall() == []
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(
                    "INSERT INTO shelves_shelf (id, account_id, name, created_at, updated_at) "
                    "VALUES (%s, %s, 'slipped by', now(), now())",
                    [uuid7(), ours.id],
                )
        with tenant(ours):
            assert kept() == [("ours",)]

    def test_nor_does_it_take_the_scope_away_from_what_follows(self, ours: Account) -> None:
        session = connection.connection
        with tenant(ours):
            assert session.execute(NAMES).fetchall() == []
            assert raw(NAMES) == [("ours",)]
        assert raw(STATE) == NOBODY

    def test_statements_that_somebody_discarded_are_made_anew(self, ours: Account) -> None:
        raw_without_rows("DEALLOCATE ALL")
        with pytest.raises(ProgrammingError), tenant(ours):
            kept()
        for _ in range(3):
            with tenant(ours):
                assert kept() == [("ours",)]

    def test_a_forked_process_leaves_the_parents_connection_alone(self, ours: Account) -> None:
        with tenant(ours):
            assert kept() == [("ours",)]
        child = os.fork()
        if child == 0:
            try:
                connection.connection  # noqa: B018 - what Celery's workers do first
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with tenant(ours):
            assert kept() == [("ours",)]
        assert raw(STATE) == NOBODY


def raw_without_rows(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
