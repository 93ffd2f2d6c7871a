"""Servers that the operator gives by DATABASE_URL and REDIS_URL: looked at before anything is done with them.

A fault found here is said in one sentence with what to do. Found later, by a migration or a worker, it would be a
traceback. How such servers are prepared: docs/operations.md.
"""

from __future__ import annotations

import psycopg
import redis
from django.core.exceptions import ImproperlyConfigured

from config import database, environment
from config.supervisor.console import GiveUp

PLATFORM = "strongroom_platform"
_OLDEST = 160_000
"""PostgreSQL 16 is the first that grants a role WITH INHERIT FALSE (docs/adr/0006)."""
_SECONDS = 5


def is_given(name: str) -> bool:
    """Whether the operator names this server."""
    return environment.is_set(name)


def check_database() -> None:
    """Raises GiveUp when DATABASE_URL and MIGRATION_DATABASE_URL can't carry the product."""
    app_url = _url("DATABASE_URL")
    if not is_given("MIGRATION_DATABASE_URL"):
        raise GiveUp(
            "DATABASE_URL is set and MIGRATION_DATABASE_URL is not. Set it to the role that owns the database: "
            "the role that serves may own nothing, or row security would not hold it. docs/operations.md says how."
        )
    owner_url = _url("MIGRATION_DATABASE_URL")
    app, owner = (database.from_url(url)["USER"] for url in (app_url, owner_url))
    if app == owner:
        raise GiveUp(
            f"DATABASE_URL and MIGRATION_DATABASE_URL both use the role {app}. "
            "Let one own the database and migrate, and another one, which owns nothing, serve."
        )
    with _connect("DATABASE_URL", app_url) as connection:
        if connection.info.server_version < _OLDEST:
            found = connection.info.server_version // 10_000
            raise GiveUp(f"The server of DATABASE_URL is PostgreSQL {found}; 16 or later is needed.")
        served = _row(connection, "SELECT current_database(), pg_postmaster_start_time()")
    with _connect("MIGRATION_DATABASE_URL", owner_url) as connection:
        if _row(connection, "SELECT current_database(), pg_postmaster_start_time()") != served:
            raise GiveUp("DATABASE_URL and MIGRATION_DATABASE_URL lead to different databases.")
        _check_prepared(connection, app)


def _check_prepared(connection: psycopg.Connection[tuple[object, ...]], app: str) -> None:
    """What only an administrator may do is asked for all at once, as statements to run."""
    missing = [*_extension(connection), *_platform_role(connection, app)]
    if missing:
        statements = "\n".join(f"  {statement}" for statement in missing)
        raise GiveUp(f"Run once in this database as a superuser, then start again:\n{statements}")


def _extension(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    if _row(connection, "SELECT 1 FROM pg_extension WHERE extname = 'vector'"):
        return []
    offered = _row(
        connection,
        "SELECT v.trusted OR r.rolsuper FROM pg_available_extension_versions v, pg_roles r "
        "WHERE v.name = 'vector' AND r.rolname = current_user ORDER BY 1 DESC LIMIT 1",
    )
    if offered is None:
        raise GiveUp("The server of DATABASE_URL has no pgvector. Install it, then start again (docs/operations.md).")
    return [] if offered[0] else ["CREATE EXTENSION vector;"]


def _platform_role(connection: psycopg.Connection[tuple[object, ...]], app: str) -> list[str]:
    found = _row(
        connection,
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(platform)s), "
        "(SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)",
        platform=PLATFORM,
    )
    if found != (False, False):
        return []
    return [f"CREATE ROLE {PLATFORM} NOLOGIN;", f'GRANT {PLATFORM} TO "{app}" WITH INHERIT FALSE, SET TRUE;']


def check_redis() -> None:
    """Raises GiveUp when REDIS_URL leads to no server that answers."""
    try:
        url = environment.text("REDIS_URL")
        with redis.Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS) as client:
            client.ping()
    except (ImproperlyConfigured, ValueError) as error:
        raise GiveUp(f"REDIS_URL can't be used: {error}") from None
    except redis.RedisError as error:
        raise GiveUp(f"The server of REDIS_URL does not answer: {error}") from None


def _url(name: str) -> str:
    try:
        url = environment.text(name)
        database.from_url(url)
    except (ImproperlyConfigured, ValueError) as error:
        raise GiveUp(f"{name} can't be used: {error}") from None
    return url


def _connect(name: str, url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(url, connect_timeout=_SECONDS)
    except psycopg.Error as error:
        raise GiveUp(f"The server of {name} can't be used: {str(error).strip().splitlines()[0]}") from None


def _row(
    connection: psycopg.Connection[tuple[object, ...]], statement: str, **values: str
) -> tuple[object, ...] | None:
    return connection.execute(statement, values).fetchone()  # type: ignore[arg-type] # constants of this module
