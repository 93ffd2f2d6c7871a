"""Two accounts side by side, and databases to break on purpose."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Account
from config.database import from_url
from config.embedded.postgres import EmbeddedPostgres
from tests import database
from tests.factories import make_account


@pytest.fixture
def ours(db: None) -> Account:
    """The account in whose scope a test works."""
    return make_account("Ours")


@pytest.fixture
def theirs(db: None) -> Account:
    """Another account, of which nothing may be seen."""
    return make_account("Theirs")


def raw(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    """Rows of a statement that no ORM has touched: what wall two alone lets through."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that is sent meanwhile."""
    sent: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield sent
    sent += [query["sql"] for query in captured.captured_queries]


@contextmanager
def connected_to(name: str, url: str = "") -> Iterator[None]:
    """Django's own connection, led to the database ``name`` (as the role of ``url``, when given)."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["NAME"] = name
    if url:
        connection.settings_dict.update({key: from_url(url)[key] for key in ("USER", "PASSWORD")})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The name of a database of one's own, which a test may ruin; Django is connected to it as the serving role."""
    name = f"scratch_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{uuid4().hex[:8]}"
    database.create(name)
    with django_db_blocker.unblock():
        try:
            with connected_to(name):
                yield name
        finally:
            database.drop(name)


@pytest.fixture
def as_owner(scratch: str) -> Iterator[Callable[..., None]]:
    """Runs SQL in the scratch database as the role that owns its tables."""
    with database.owner_connection(scratch) as owner:

        def run(*statements: str) -> None:
            for statement in statements:
                owner.execute(statement)  # type: ignore[arg-type]

        yield run


@pytest.fixture
def superuser() -> str:
    """The address of the server's administrator; only servers that the tests started themselves tell it."""
    embedded = EmbeddedPostgres(Path(settings.DATA))
    if not embedded.answers() or str(embedded.port) != str(connection.settings_dict["PORT"]):
        pytest.skip("roles are made and unmade by the server's administrator: only on the tests' own server")
    return embedded.url("postgres")
