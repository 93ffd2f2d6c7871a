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
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql

from apps.accounts.tenancy import roles

ROOT = Path(__file__).resolve().parent.parent


def address_of(url: str, name: str) -> str:
    """``url`` with another database's name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def owner_connection(name: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of the role that owns the tables, in autocommit."""
    return psycopg.connect(address_of(settings.MIGRATION_DATABASE_URL, name), autocommit=True)


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
            "DATABASE_URL": address_of(settings.DATABASE_URL, unfinished),
            "MIGRATION_DATABASE_URL": address_of(settings.MIGRATION_DATABASE_URL, unfinished),
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
    with psycopg.connect(address_of(settings.DATABASE_URL, name), autocommit=True) as connection:
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
