"""Scopes nest, restore what was before them, and leave nothing behind however they end."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.db.utils import DatabaseError, IntegrityError, ProgrammingError

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import NoScope, current_account_id, platform, platform_reason, tenant
from tests import database
from tests.accounts.tenancy.conftest import raw, statements
from tests.accounts.tenancy.shelves.models import Shelf
from tests.factories import make_account

pytestmark = pytest.mark.covers("A-07")


def state() -> tuple[str, str]:
    """The account and the role by which PostgreSQL would judge a query now."""
    return raw("SELECT coalesce(current_setting('app.account_id', true), ''), current_setting('role')")[0]


def inside(account: Account) -> tuple[str, str]:
    return str(account.id), "none"


NOBODY = ("", "none")
PLATFORM = settings.PLATFORM_DATABASE_ROLE


class Stop(Exception):
    """Ends a scope the hard way."""


@pytest.mark.django_db(transaction=True)
class TestOutsideOfATransaction:
    """As at a door: the scope is the outermost transaction."""

    def test_it_costs_one_statement_beside_begin_and_commit(self, ours: Account) -> None:
        with statements() as sent, tenant(ours):
            pass
        assert [sql.split()[0] for sql in sent] == ["BEGIN", "SELECT", "COMMIT"]

    def test_the_platform_scope_costs_the_same(self, ours: Account) -> None:
        with statements() as sent, platform("count statements"):
            pass
        assert [sql.split()[0] for sql in sent] == ["BEGIN", "SELECT", "COMMIT"]

    def test_it_is_one_transaction(self, ours: Account) -> None:
        with pytest.raises(Stop), tenant(ours):
            _write_and_stop("half done")
        with tenant(ours):
            assert not Shelf.objects.exists()

    @pytest.mark.parametrize("ending", ["return", "exception", "rollback", "broken"])
    def test_nothing_is_left_on_the_connection(self, ours: Account, ending: str) -> None:
        try:
            with tenant(ours):
                assert state() == inside(ours)
                _end(ending)
        except (Stop, IntegrityError):
            pass
        assert state() == NOBODY
        assert current_account_id() is None
        assert not connection.in_atomic_block

    @pytest.mark.parametrize("ending", ["return", "exception", "rollback", "broken"])
    def test_the_platform_role_is_not_left_on_the_connection(self, ours: Account, ending: str) -> None:
        try:
            with platform("end in all ways"):
                assert state()[1] == PLATFORM
                _end(ending)
        except (Stop, IntegrityError):
            pass
        assert state() == NOBODY
        assert platform_reason() is None

    def test_a_role_that_was_left_on_the_connection_does_not_reach_into_a_scope(
        self, ours: Account, theirs: Account
    ) -> None:
        """SET without LOCAL outlives its transaction, and so its request: an injected one must not."""
        raw(f"SELECT set_config('role', '{PLATFORM}', false), set_config('app.account_id', %s, false)", str(theirs.id))
        try:
            assert raw("SELECT count(*) FROM accounts_account")[0][0] == 2
            with tenant(ours):
                assert state() == inside(ours)
                assert raw("SELECT count(*) FROM accounts_account") == [(1,)]
        finally:
            connection.close()

    def test_what_runs_after_the_commit_sees_nobodys_rows(self, ours: Account, theirs: Account) -> None:
        """The scope ended with its transaction: whoever needs rows then opens one."""
        for account in (ours, theirs):
            with tenant(account):
                Shelf.objects.create(name="there")
        seen: list[Any] = []
        with tenant(ours):
            transaction.on_commit(lambda: seen.append((raw("SELECT count(*) FROM shelves_shelf"), state())))
            transaction.on_commit(lambda: seen.append(Shelf.objects.count()))
            transaction.on_commit(lambda: seen.append(_in_scope(theirs)))
        assert seen == [([(0,)], NOBODY), 0, {theirs.id}]

    @pytest.mark.parametrize("chunk", [1, 2000])
    def test_a_cursor_of_the_server_ends_with_its_scope(self, ours: Account, chunk: int) -> None:
        with tenant(ours):
            Shelf.objects.bulk_create([Shelf(name=f"shelf {number}") for number in range(5)])
        with tenant(ours):
            rows = Shelf.objects.order_by("name").iterator(chunk_size=chunk)
            assert next(rows).name == "shelf 0"
        with pytest.raises(DatabaseError, match="cursor"):
            list(rows)

    def test_an_error_in_sql_ends_the_scope_and_the_next_one_is_clean(self, ours: Account, theirs: Account) -> None:
        with pytest.raises(ProgrammingError), tenant(ours):
            raw("SELECT * FROM nowhere")
        assert state() == NOBODY
        with tenant(theirs):
            assert state() == inside(theirs)


def _in_scope(account: Account) -> Any:
    with tenant(account):
        return {shelf.account_id for shelf in Shelf.objects.all()}


def _end(ending: str) -> None:
    match ending:
        case "exception":
            raise Stop
        case "rollback":
            transaction.set_rollback(True)
        case "broken":
            raw("INSERT INTO accounts_user (id) VALUES (NULL) RETURNING id")


def _write_and_stop(name: str) -> None:
    Shelf.objects.create(name=name)
    raise Stop


@pytest.mark.django_db
class TestNesting:
    def test_an_account_inside_another_and_back(self, ours: Account, theirs: Account) -> None:
        with tenant(ours):
            with tenant(theirs):
                assert state() == inside(theirs)
                Shelf.objects.create(name="theirs")
            assert state() == inside(ours)
            assert current_account_id() == ours.id
            assert not Shelf.objects.exists()
            Shelf.objects.create(name="ours")
        assert state() == NOBODY
        with tenant(theirs):
            assert [shelf.name for shelf in Shelf.objects.all()] == ["theirs"]

    def test_platform_inside_account_inside_platform_and_back(self, ours: Account, theirs: Account) -> None:
        with platform("outermost"):
            assert state()[1] == PLATFORM
            with tenant(ours):
                assert state() == inside(ours)
                assert platform_reason() is None
                assert raw("SELECT count(*) FROM accounts_account")[0][0] == 1
                with platform("innermost"):
                    assert state()[1] == PLATFORM
                    assert platform_reason() == "innermost"
                    assert raw("SELECT count(*) FROM accounts_account")[0][0] == 2
                assert state() == inside(ours)
                assert platform_reason() is None
                assert raw("SELECT count(*) FROM accounts_account")[0][0] == 1
            assert state()[1] == PLATFORM
            assert platform_reason() == "outermost"
            assert current_account_id() is None
            assert raw("SELECT count(*) FROM accounts_account")[0][0] == 2
        assert state() == NOBODY

    def test_an_account_inside_platform_inside_the_same_account(self, ours: Account) -> None:
        with tenant(ours):
            with platform("look around"), tenant(ours):
                assert state() == inside(ours)
            assert state() == inside(ours)

    def test_an_exception_restores_by_rolling_back_to_the_savepoint(self, ours: Account, theirs: Account) -> None:
        with tenant(ours):
            Shelf.objects.create(name="before")
            with pytest.raises(Stop), tenant(theirs):
                _write_and_stop("undone")
            assert state() == inside(ours)
            assert [shelf.name for shelf in Shelf.objects.all()] == ["before"]
        with tenant(theirs):
            assert not Shelf.objects.exists()

    def test_an_exception_in_the_platform_scope_gives_the_role_back(self, ours: Account) -> None:
        with tenant(ours):
            with pytest.raises(Stop), platform("fail"):
                raise Stop
            assert state() == inside(ours)

    def test_a_statement_that_fails_inside_restores_too(self, ours: Account, theirs: Account) -> None:
        with tenant(ours):
            with pytest.raises(IntegrityError), tenant(theirs):
                _end("broken")
            assert state() == inside(ours)
            with pytest.raises(IntegrityError), platform("fail in SQL"):
                _end("broken")
            assert state() == inside(ours)

    def test_a_marked_rollback_inside_restores_too(self, ours: Account, theirs: Account) -> None:
        with tenant(ours):
            with tenant(theirs):
                Shelf.objects.create(name="undone")
                transaction.set_rollback(True)
            assert state() == inside(ours)
            with platform("undo"):
                transaction.set_rollback(True)
            assert state() == inside(ours)

    def test_releasing_a_savepoint_of_ones_own_keeps_the_scope(self, ours: Account) -> None:
        with tenant(ours):
            with transaction.atomic():
                Shelf.objects.create(name="kept")
            assert state() == inside(ours)
            with pytest.raises(Stop), transaction.atomic():
                _write_and_stop("undone")
            assert state() == inside(ours)
            assert Shelf.objects.count() == 1

    def test_rolling_back_to_a_savepoint_before_the_scope_takes_the_scope_away(self, ours: Account) -> None:
        """Fails closed: whoever undoes the scope's own statement is in no scope."""
        point = transaction.savepoint()
        with tenant(ours):
            assert state() == inside(ours)
        transaction.savepoint_rollback(point)
        assert state() == NOBODY

    def test_scopes_inside_an_ordinary_transaction_end_with_no_scope(self, ours: Account) -> None:
        with transaction.atomic():
            with tenant(ours):
                pass
            assert state() == NOBODY
            assert raw("SELECT count(*) FROM accounts_account") == [(0,)]


@pytest.mark.django_db
class TestWithoutScope:
    def test_the_orm_raises(self, ours: Account) -> None:
        with pytest.raises(NoScope):
            Shelf.objects.count()
        with pytest.raises(NoScope):
            Account.objects.first()
        with pytest.raises(NoScope):
            Shelf(name="nowhere", account_id=ours.id).save()
        with pytest.raises(NoScope):
            Shelf.objects.bulk_create([Shelf(name="nowhere", account_id=ours.id)])

    def test_a_queryset_from_inside_does_not_run_outside(self, ours: Account) -> None:
        with tenant(ours):
            waiting = Shelf.objects.all()
        with pytest.raises(NoScope):
            list(waiting)

    def test_a_queryset_made_outside_runs_in_the_scope_it_is_read_in(self, ours: Account, theirs: Account) -> None:
        waiting = Shelf.objects.order_by("name")
        for account, name in ((ours, "a"), (theirs, "b")):
            with tenant(account):
                Shelf.objects.create(name=name)
                assert [shelf.name for shelf in waiting.all()] == [name]

    def test_postgres_shows_no_rows(self, ours: Account) -> None:
        with tenant(ours):
            Shelf.objects.create(name="there")
        assert raw("SELECT count(*) FROM shelves_shelf") == [(0,)]
        assert raw("UPDATE shelves_shelf SET name = 'x' RETURNING id") == []
        assert raw("DELETE FROM shelves_shelf RETURNING id") == []

    def test_postgres_takes_no_rows(self, ours: Account) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"):
            raw(
                "INSERT INTO shelves_shelf (id, account_id, name, created_at, updated_at) "
                "VALUES (gen_random_uuid(), %s, 'x', now(), now()) RETURNING id",
                ours.id,
            )

    def test_platform_needs_a_reason(self) -> None:
        with pytest.raises(ValueError, match="reason"), platform("  "):
            pass


@pytest.mark.django_db(transaction=True)
def test_a_scope_is_not_seen_by_other_threads(ours: Account) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append(current_account_id())
        seen.append(state())
        connection.close()

    with tenant(ours):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [None, NOBODY]


def test_the_owner_of_the_tables_sees_nothing_either(scratch: str) -> None:
    account = make_account("Committed")
    with tenant(account):
        Shelf.objects.create(name="there")
    with database.owner_connection(scratch) as owner:
        assert owner.execute("SELECT count(*) FROM shelves_shelf").fetchall() == [(0,)]
        assert owner.execute("SELECT count(*) FROM accounts_account").fetchall() == [(0,)]


def test_another_connection_has_no_scope(scratch: str) -> None:
    """A second alias of the same database: our literal is in the query, and the policy lets nothing through."""
    ours = make_account("Ours")
    connections.databases["other"] = dict(connection.settings_dict)
    try:
        with tenant(ours):
            Shelf.objects.create(name="there")
        with tenant(ours):
            assert Shelf.objects.count() == 1
            assert Shelf.objects.using("other").count() == 0
            with pytest.raises(ProgrammingError, match="row-level security"):
                Shelf(name="elsewhere").save(using="other")
        with tenant(ours, using="other"):
            assert Shelf.objects.using("other").count() == 1
            assert raw("SELECT count(*) FROM shelves_shelf") == [(0,)]
    finally:
        connections["other"].close()
        del connections["other"], connections.databases["other"]
