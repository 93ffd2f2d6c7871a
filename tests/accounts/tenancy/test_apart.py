"""Work beside the caller's transaction never waits for a connection that a caller holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from apps.accounts.models import Account
from apps.accounts.tenancy.apart import Threads, apart
from apps.accounts.tenancy.scope import tenant
from tests.accounts.tenancy.shelves.models import Shelf

pytestmark = [pytest.mark.covers("A-07"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pool_of_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The whole process has one connection that requests may have."""
    connection.close()
    options = connection.settings_dict["OPTIONS"] | {"pool": {"min_size": 1, "max_size": 1, "timeout": 2}}
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "OPTIONS", options)
        patched.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
        yield
        connection.close()
        connection.close_pool()


def test_a_caller_that_holds_the_whole_pool_gets_an_answer(ours: Account, pool_of_one: None) -> None:
    def add() -> str:
        with tenant(ours):
            return Shelf.objects.create(name="beside").name

    with tenant(ours):
        assert apart(add, threads=Threads("pooled", 1)) == "beside"
        assert [shelf.name for shelf in Shelf.objects.all()] == ["beside"]


def test_its_connection_is_kept_for_the_next_work(ours: Account, pool_of_one: None) -> None:
    threads = Threads("pooled", 1)

    def session() -> int:
        connection.ensure_connection()
        return int(connection.connection.info.backend_pid)

    with tenant(ours):
        mine = session()
        assert mine != apart(session, threads=threads) == apart(session, threads=threads)
