"""Emptying the tests' database after a test that committed.

Every table but those of a fresh installation, which the serving role may not: that is the point of it. Audit tables
refuse even their owner while their triggers are on, and walls hide rows from the owner too. The administrator of the
tests' own server goes past both by a setting of the session; on a given server the owner takes them down and puts them
up again, which costs ten times as much.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from psycopg import sql

from config.embedded.postgres import EmbeddedPostgres
from tests.database import address_of, owner_connection

Session = psycopg.Connection[Any]

# What a fresh installation holds: cleaning between tests leaves it.
_KEPT = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "vault_platformkeyset",
    "vault_platformaudithead",
    "accounts_price",
)


class Cleaner:
    """Empties the database ``name``, over one session that lasts from test to test."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._session: Session | None = None
        self._is_administrator = False

    def clean(self) -> None:
        """Leave what a fresh installation holds."""
        for attempt in range(5):
            try:
                return self._clean()
            except psycopg.OperationalError:
                # The session was ended, or a thread of the product that outlived its test holds a table (deadlock).
                self.close()
                time.sleep(0.5 * attempt)
        return self._clean()

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _clean(self) -> None:
        session = self._open()
        with session.transaction():
            filled = [_Table(*row) for row in session.execute(_FILLED, (list(_KEPT),)).fetchall()]
            if sum(table.size for table in filled) > _SMALL:
                _truncate(session)
            elif self._is_administrator:
                _delete(session, filled)
            else:
                _delete_as_owner(session, filled)
            session.execute("DELETE FROM accounts_price WHERE origin <> 'declared'")
            session.execute("UPDATE vault_platformaudithead SET seq = 0, hash = decode(repeat('00', 32), 'hex')")

    def _open(self) -> Session:
        if self._session is None or self._session.closed:
            server = EmbeddedPostgres(Path(settings.DATA))
            self._is_administrator = server.answers() and urlsplit(settings.DATABASE_URL).port == server.port
            if self._is_administrator:
                self._session = psycopg.connect(address_of(server.url("postgres"), self.name), autocommit=True)
                self._session.execute("SET session_replication_role = replica")  # no trigger fires
            else:
                self._session = owner_connection(self.name)
        return self._session


class _Table(NamedTuple):
    name: str
    size: int
    is_walled: bool
    has_triggers: bool


_SMALL = 4 * 1024 * 1024
"""Bytes in all tables, those of deleted rows among them, up to which deleting is quicker than new files for each."""
_FILLED = """
SELECT relname, pg_relation_size(c.oid), relforcerowsecurity,
       EXISTS (SELECT FROM pg_trigger t WHERE tgrelid = c.oid AND NOT tgisinternal)
FROM pg_class c
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL(%s) AND pg_relation_size(c.oid) > 0
"""


def _delete(session: Session, tables: list[_Table]) -> None:
    """All rows of ``tables``, once nobody writes to them any more: references are not checked."""
    if tables:
        names = [f'"{table.name}"' for table in tables]
        _run(session, [f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE", *[f"DELETE FROM {name}" for name in names]])


def _delete_as_owner(session: Session, tables: list[_Table]) -> None:
    """All rows of ``tables``, whatever refers to them."""
    opened, closed = [], []
    for table in tables:
        ways = [("NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY")] if table.is_walled else []
        ways += [("DISABLE TRIGGER USER", "ENABLE TRIGGER USER")] if table.has_triggers else []
        opened += [f'ALTER TABLE "{table.name}" {way}' for way, _ in ways]
        closed += [f'ALTER TABLE "{table.name}" {back}' for _, back in ways]
    deletions = [f'DELETE FROM "{table.name}"' for table in tables]
    # References are checked before the tables are changed back.
    _run(session, [*opened, "SET CONSTRAINTS ALL DEFERRED", *deletions, "SET CONSTRAINTS ALL IMMEDIATE", *closed])


def _run(session: Session, statements: list[str]) -> None:
    session.execute("; ".join(statements))  # type: ignore[call-overload]


def _truncate(session: Session) -> None:
    tables = [
        str(table)
        for (table,) in session.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)", (list(_KEPT),)
        ).fetchall()
    ]
    guarded = [
        str(table)
        for (table,) in session.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only_truncate'"
        ).fetchall()
    ]
    for table in guarded:
        session.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    session.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
    for table in guarded:
        session.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
