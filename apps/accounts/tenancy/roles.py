"""The database's roles and what they may touch, set before the first table is made.

Owner (migrates, owns), app (serves, owns nothing) and platform (sees all accounts; the app steps into it with
``SET LOCAL ROLE``). The platform role is granted ``INHERIT FALSE``: with inheritance its ``USING (true)`` policies
would hold for the app all the time.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections


class RolesMissing(RuntimeError):
    """The server's roles are not as they must be, and this role may not make them so."""


def statements(app: str, platform: str) -> list[str]:
    """The SQL an operator runs once as a role with CREATEROLE, on a server that is not ours."""
    return [
        f"CREATE ROLE {platform} NOLOGIN",
        f"GRANT {platform} TO {app} WITH INHERIT FALSE, SET TRUE",
    ]


def closings(database: str) -> list[str]:
    """What PostgreSQL allows everybody and the serving role must not: to put tables of its own before the real ones.

    A temporary table is found before one of the same name that has row security, for as long as its connection lives.
    """
    return [f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"]


def prepare(*, using: str = "default", **_: Any) -> None:
    """Before migrations: make the platform role where it is missing, and give later tables their rights.

    Raises RolesMissing with the statements to run, when this role may not.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        raise RolesMissing("Strongroom needs PostgreSQL: row security is half of its isolation.")
    q = connection.ops.quote_name
    app, platform = settings.APP_DATABASE_ROLE, settings.PLATFORM_DATABASE_ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s)", (app, platform))
        found = {name for (name,) in cursor.fetchall()}
        if app not in found:
            raise RolesMissing(f"The role {app} of DATABASE_URL does not exist on this server.")
        if platform not in found:
            cursor.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
            if not cursor.fetchone()[0]:
                raise RolesMissing("Run once as an administrator: " + "; ".join(statements(q(app), q(platform))))
            for statement in statements(q(app), q(platform)):
                cursor.execute(statement)
        for statement in closings(q(connection.settings_dict["NAME"])):
            cursor.execute(statement)
        for role in (q(app), q(platform)):
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
            cursor.execute(
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}"
            )
            cursor.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}")
