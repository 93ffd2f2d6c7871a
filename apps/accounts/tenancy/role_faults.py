"""Whether wall two stands: the role that serves, as PostgreSQL's catalogue has it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection

from apps.accounts.tenancy.registry import walls


def role_faults() -> list[str]:
    """What is wrong with the role that serves: it must be bound by row security and own nothing.

    What counts is not only what it inherits but whatever it could become by SET ROLE.
    """
    platform = settings.PLATFORM_DATABASE_ROLE
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolname = session_user FROM pg_roles "
            "WHERE pg_has_role(session_user, oid, 'MEMBER') AND (rolsuper OR rolbypassrls) ORDER BY rolname"
        )
        strong = cursor.fetchall()
        cursor.execute("SELECT session_user, rolsuper FROM pg_roles WHERE rolname = session_user")
        name, is_super = cursor.fetchone()
        faults = [f"The database role {name} {_strength(*row)}." for row in strong if row[3] or not is_super]
        if is_super:
            return faults  # whatever else there is to ask is true of a superuser
        faults += _ownership_faults(cursor, name)
        faults += _shadow_faults(cursor, name)
        faults += _setting_faults(cursor, name)
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (platform,))
        if cursor.fetchone() is None:
            return [*faults, f"The role {platform} does not exist; run migrate with MIGRATION_DATABASE_URL."]
        cursor.execute(
            "SELECT pg_has_role(session_user, %s, 'USAGE'), pg_has_role(session_user, %s, 'SET')", (platform, platform)
        )
        inherits, may_set = cursor.fetchone()
        if inherits:
            faults.append(f"The database role {name} inherits {platform}: grant it WITH INHERIT FALSE.")
        if not may_set:
            faults.append(f"The database role {name} may not SET ROLE {platform}.")
    return faults


def _shadow_faults(cursor: Any, name: str) -> list[str]:
    cursor.execute(
        "SELECT has_database_privilege(session_user, current_database(), 'TEMPORARY'), "
        "has_schema_privilege(session_user, 'public', 'CREATE'), quote_ident(current_database())"
    )
    temporary, create, database = cursor.fetchone()
    faults = []
    if temporary:
        cure = f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"
        faults.append(f"The database role {name} may put temporary tables before the real ones: {cure}.")
    if create:
        cure = "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        faults.append(f"The database role {name} may make tables in the schema public: {cure}.")
    return faults


def _setting_faults(cursor: Any, name: str) -> list[str]:
    """Settings with which each session of the role would begin. A role may give itself such."""
    cursor.execute(
        "SELECT split_part(line, '=', 1) FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) line "
        "LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase "
        "WHERE (s.setrole = 0 OR r.rolname = session_user) AND (s.setdatabase = 0 OR d.datname = current_database())"
    )
    dangerous = {"role", "search_path", "row_security", *walls()}
    found = sorted({setting for (setting,) in cursor.fetchall()} & dangerous)
    return [f"Sessions of the database role {name} begin with {each} set: ALTER ROLE … RESET it." for each in found]


def _strength(role: str, is_super: bool, bypasses: bool, itself: bool) -> str:
    what = "a superuser" if is_super else "not bound by row security (BYPASSRLS)"
    return f"is {what}" if itself else f"can become {role}, which is {what}"


def _ownership_faults(cursor: Any, name: str) -> list[str]:
    cursor.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') "
        "AND pg_has_role(session_user, c.relowner, 'MEMBER') ORDER BY 1"
    )
    owned = [row[0] for row in cursor.fetchall()]
    if not owned:
        return []
    return [f"The database role {name} owns {len(owned)} tables ({', '.join(owned[:3])} …)."]
