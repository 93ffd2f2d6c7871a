"""A scope begins in one round trip, and on a connection that is alive."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from tests.accounts.tenancy.conftest import raw
from tests.accounts.tenancy.shelves.models import Shelf

pytestmark = [pytest.mark.covers("A-07"), pytest.mark.django_db(transaction=True)]

STATE = "SELECT coalesce(current_setting('app.account_id', true), ''), current_setting('role')"


def _asked_from_outside(question: str) -> Any:
    """The answer to a question about this connection's session, asked on another."""
    connection.ensure_connection()
    with psycopg.connect(**_parameters(), autocommit=True) as other:
        row = other.execute(question, [connection.connection.info.backend_pid]).fetchone()
    assert row is not None
    return row[0]


def end_session() -> None:
    """What a restarted database, a failover or a firewall does to a kept connection."""
    assert _asked_from_outside("SELECT pg_terminate_backend(%s, 5000)") is True


def _write_around_the_end(account: Account) -> None:
    with tenant(account):
        Shelf.objects.create(name="lost")
        end_session()
        Shelf.objects.create(name="never written")


def _parameters() -> dict[str, Any]:
    wanted = connections["default"].get_connection_params()
    return {name: wanted[name] for name in ("dbname", "user", "password", "host", "port")}


def test_begin_and_the_setting_go_together(ours: Account) -> None:
    with tenant(ours):
        last = _asked_from_outside("SELECT query FROM pg_stat_activity WHERE pid = %s")
        assert raw(STATE) == [(str(ours.id), "none")]
    scope = f"set_config('app.account_id', '{ours.id}', true), set_config('role', 'none', true)"
    assert last == f"BEGIN; SELECT {scope}"
    assert raw(STATE) == [("", "none")]


def test_a_connection_that_died_meanwhile_is_replaced(ours: Account) -> None:
    end_session()
    with tenant(ours):
        assert raw(STATE) == [(str(ours.id), "none")]
        Shelf.objects.create(name="written after the restart")
    with tenant(ours):
        assert Shelf.objects.count() == 1


def test_so_is_the_platforms(ours: Account) -> None:
    end_session()
    with platform("go on after a restart"):
        assert raw(STATE)[0][1] == settings.PLATFORM_DATABASE_ROLE


def test_one_that_dies_inside_the_scope_is_not_and_the_next_scope_is_well(ours: Account) -> None:
    with pytest.raises(OperationalError):
        _write_around_the_end(ours)
    with tenant(ours):
        assert not Shelf.objects.exists()
    assert raw(STATE) == [("", "none")]


def _end_before_commit(account: Account) -> None:
    with tenant(account):
        Shelf.objects.create(name="lost")
        end_session()


def test_one_that_dies_before_the_commit_says_so_and_has_written_nothing(ours: Account) -> None:
    with pytest.raises(OperationalError):
        _end_before_commit(ours)
    with tenant(ours):
        assert not Shelf.objects.exists()


def test_without_a_database_it_fails_and_leaves_no_scope(ours: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    end_session()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    with pytest.raises(OperationalError), tenant(ours):
        Shelf.objects.count()
    monkeypatch.undo()
    connection.close()
    with tenant(ours):
        assert raw(STATE) == [(str(ours.id), "none")]


def test_a_refused_setting_is_an_error_and_no_scope(ours: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PLATFORM_DATABASE_ROLE", "nobody_of_that_name")
    with pytest.raises(Exception, match="nobody_of_that_name"), platform("become somebody who does not exist"):
        pass
    monkeypatch.undo()
    assert raw(STATE) == [("", "none")]
    assert not connection.in_atomic_block


def test_an_owner_is_a_uuid_because_it_becomes_part_of_a_statement() -> None:
    class Fake:
        id = "x', true); DROP TABLE accounts_account; --"

    with pytest.raises(TypeError), tenant(Fake()):  # type: ignore[arg-type]
        pass
