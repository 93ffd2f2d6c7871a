"""The tests' databases: migrated once as the owner, copied per worker, used as the role that serves."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql

from apps.accounts.tenancy import roles

ROOT = Path(__file__).resolve().parent.parent
# What a fresh installation holds: cleaning between tests leaves it.
_KEPT = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "vault_platformkeyset",
    "vault_platformaudithead",
    "accounts_price",
)


def _url(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def owner_connection(name: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of the role that owns the tables, in autocommit."""
    return psycopg.connect(_url(settings.MIGRATION_DATABASE_URL, name), autocommit=True)


def fingerprint() -> str:
    """Of everything that decides what a fresh database looks like."""
    digest = hashlib.sha256()
    for path in sorted(
        [
            *ROOT.glob("apps/*/migrations/*.py"),
            *ROOT.glob("tests/**/migrations/*.py"),
            *ROOT.glob("apps/integrations/providers/*/definition.py"),  # prices go into the book after migrating
            ROOT / "requirements" / "base.txt",
        ]
    ):
        digest.update(path.read_bytes())
    for path in sorted(ROOT.glob("apps/accounts/tenancy/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    lock = Path(settings.DATA) / "run" / "test-database.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def template() -> str:
    """The name of a migrated database with an open vault; made when the migrations have changed."""
    name = f"template_{fingerprint()}"
    with _one_at_a_time(), owner_connection("postgres") as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return name
        for (old,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%'"
        ).fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(old))))
        unfinished = f"unfinished_{name}"
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(unfinished)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
        environment = {
            **os.environ,
            "DATABASE_URL": _url(settings.DATABASE_URL, unfinished),
            "MIGRATION_DATABASE_URL": _url(settings.MIGRATION_DATABASE_URL, unfinished),
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
        }
        for command in (["migrate", "--verbosity=0"], ["init_vault"]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(name))
        )
    return name


def create(name: str) -> None:
    """Make the database ``name`` as a copy of the template."""
    source = template()
    with owner_connection("postgres") as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            drop(name)  # of a run that was killed; processes of it may be connected still
    with _one_at_a_time(), owner_connection("postgres") as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
        )
        # Rights on the database itself are not copied.
        connection.execute(roles.closings(f'"{name}"')[0])  # type: ignore[arg-type]


def drop(name: str) -> None:
    """Remove the database ``name``, whoever is still connected: a live server's threads may be."""
    with psycopg.connect(_url(settings.DATABASE_URL, name), autocommit=True) as connection:
        # The owner may not end sessions of the role that serves; that role may end its own, and waits for it.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
    for _ in range(20):
        try:
            with owner_connection("postgres") as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            return
        except psycopg.errors.InsufficientPrivilege:
            time.sleep(0.5)  # a vacuum of the server's own is in there, which nobody but the superuser may end
    raise RuntimeError(f"The database {name} could not be removed.")


def clean(name: str) -> None:
    """Empty every table but those of a fresh installation. As the owner: the serving role may not, and audit
    tables refuse even the owner while their triggers are on."""
    for attempt in range(5):
        try:
            return _clean(name)
        except psycopg.errors.DeadlockDetected:
            time.sleep(0.5 * (attempt + 1))  # a thread of the product that outlived its test holds a table
    return _clean(name)


def _clean(name: str) -> None:
    with owner_connection(name) as connection, connection.transaction():
        filled = [_Table(*row) for row in connection.execute(_FILLED, (list(_KEPT),)).fetchall()]  # type: ignore[arg-type]
        small = sum(table.size for table in filled) <= _SMALL
        _delete(connection, filled) if small else _truncate(connection)
        connection.execute("DELETE FROM accounts_price WHERE origin <> 'declared'")
        connection.execute("UPDATE vault_platformaudithead SET seq = 0, hash = decode(repeat('00', 32), 'hex')")


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


def _delete(connection: psycopg.Connection[tuple[object, ...]], tables: list[_Table]) -> None:
    """All rows of ``tables``, whatever refers to them."""
    if not tables:
        return
    opened, closed = [], []
    for table in tables:
        ways = [("NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY")] if table.is_walled else []
        ways += [("DISABLE TRIGGER USER", "ENABLE TRIGGER USER")] if table.has_triggers else []
        opened += [f'ALTER TABLE "{table.name}" {way}' for way, _ in ways]
        closed += [f'ALTER TABLE "{table.name}" {back}' for _, back in ways]
    deletions = [f'DELETE FROM "{table.name}"' for table in tables]
    # References are checked before the tables are changed back.
    connection.execute(
        "; ".join([*opened, "SET CONSTRAINTS ALL DEFERRED", *deletions, "SET CONSTRAINTS ALL IMMEDIATE", *closed])
    )  # type: ignore[call-overload]


def _truncate(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    tables = [
        str(table)
        for (table,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)", (list(_KEPT),)
        ).fetchall()
    ]
    guarded = [
        str(table)
        for (table,) in connection.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only_truncate'"
        ).fetchall()
    ]
    for table in guarded:
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
    for table in guarded:
        connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
