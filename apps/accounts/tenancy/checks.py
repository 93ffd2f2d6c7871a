"""Whether both walls stand: asked at start-up, by ``manage.py check_isolation`` and by the tests."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, register
from django.db import connection

from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.accounts.tenancy.registry import GLOBAL_MODELS, owned_columns, walls


class WallDown(RuntimeError):
    """The product would serve without isolation; it refuses."""


def role_faults() -> list[str]:
    """What is wrong with the role that serves: it must be bound by row security and own nothing."""
    platform = settings.PLATFORM_DATABASE_ROLE
    faults = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user")
        name, is_super, bypasses = cursor.fetchone()
        if is_super:
            faults.append(f"The database role {name} is a superuser.")
        if bypasses:
            faults.append(f"The database role {name} has BYPASSRLS.")
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND pg_has_role(session_user, c.relowner, 'USAGE') "
            "ORDER BY 1"
        )
        owned = [row[0] for row in cursor.fetchall()]
        if owned:
            faults.append(f"The database role {name} owns {len(owned)} tables ({', '.join(owned[:3])} …).")
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (platform,))
        if cursor.fetchone() is None:
            faults.append(f"The role {platform} does not exist; run migrate with MIGRATION_DATABASE_URL.")
            return faults
        cursor.execute(
            "SELECT pg_has_role(session_user, %s, 'USAGE'), pg_has_role(session_user, %s, 'SET')", (platform, platform)
        )
        inherits, may_set = cursor.fetchone()
        if inherits:
            faults.append(f"The database role {name} inherits {platform}: grant it WITH INHERIT FALSE.")
        if not may_set:
            faults.append(f"The database role {name} may not SET ROLE {platform}.")
    return faults


_TABLES = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner),
       array_agg(a.attname ORDER BY a.attname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p')
GROUP BY c.oid ORDER BY c.relname
"""

_POLICIES = """
SELECT c.relname, p.polname, p.polcmd, p.polpermissive,
       ARRAY(SELECT pg_get_userbyid(r) FROM unnest(p.polroles) r WHERE r <> 0),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
"""


def table_faults() -> list[str]:
    """What is wrong with tables, read from the catalogue and not from our own models."""
    columns = owned_columns()
    with connection.cursor() as cursor:
        cursor.execute(_POLICIES)
        policies: dict[str, list[Any]] = {}
        for row in cursor.fetchall():
            policies.setdefault(row[0], []).append(row[1:])
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
    missing = sorted(set(columns) - {row[0] for row in tables})
    faults = [f"{table}: the table does not exist; run migrate." for table in missing]
    for table, enabled, forced, owner, names in tables:
        wanted = columns.get(table) or _owner_column(names, table)
        if wanted is None:
            continue
        column, setting = wanted
        if not enabled:
            faults.append(f"{table}: row security is not enabled.")
        if not forced:
            faults.append(f"{table}: row security is not forced on its owner.")
        if owner == settings.APP_DATABASE_ROLE:
            faults.append(f"{table}: it belongs to the role that serves.")
        faults += [f"{table}: {words}" for words in _policy_faults(policies.get(table, []), column, setting)]
    return faults


def _owner_column(names: list[str], table: str) -> tuple[str, str] | None:
    """An owner's column in a table that no model of ours claims is a table somebody forgot."""
    if table in _NOT_OWNED_TABLES:
        return None
    for setting, wall in walls().items():
        if wall.column in names:
            return wall.column, setting
    return None


# allauth's social tokens name their own social account so; listed until a table of theirs is in use.
_NOT_OWNED_TABLES = frozenset({"socialaccount_socialtoken"})


def _policy_faults(policies: list[Any], column: str, setting: str) -> list[str]:
    equality = re.compile(
        rf"^\(?{column} = \(\s*SELECT \(NULLIF\(current_setting\('{re.escape(setting)}'::text, true\), "
        r"''::text\)\)::uuid"
        r'( AS "?\w+"?)?\)\)?$'
    )
    faults = []
    own = [policy for policy in policies if not policy[3]]
    if len(own) != 1:
        faults.append(f"{len(own)} policies for everybody, must be one.")
    for name, command, permissive, roles, using, check in policies:
        if command != "*" or not permissive:
            faults.append(f"policy {name} is not for all commands.")
        if roles:
            if roles != [settings.PLATFORM_DATABASE_ROLE]:
                faults.append(f"policy {name} is for {', '.join(roles)}.")
        elif not (equality.match(using or "") and equality.match(check or "")):
            faults.append(f"policy {name} is not the one equality (USING {using}, WITH CHECK {check}).")
    return faults


_KEYS = """
SELECT c.relname, con.contype, con.conname,
       ARRAY(SELECT a.attname FROM unnest(con.conkey) WITH ORDINALITY k(n, o)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.o)
FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
WHERE con.contype IN ('p', 'u', 'f')
"""


def key_faults() -> list[str]:
    """Keys of owned tables that do not begin with the owner, and references that could point elsewhere."""
    owned = {table: column for table, (column, _) in owned_columns().items() if column != "id"}
    with connection.cursor() as cursor:
        cursor.execute(_KEYS)
        keys = cursor.fetchall()
    faults = [
        f"{table}: {name} does not begin with {owned[table]}."
        for table, kind, name, names in keys
        if table in owned and kind in {"p", "u"} and names[0] != owned[table]
    ]
    composite = {(table, tuple(names)) for table, kind, _, names in keys if kind == "f"}
    for model in apps.get_models():
        for field in model._meta.local_fields:
            table = model._meta.db_table
            if isinstance(field, TenantForeignKey) and (table, (owned.get(table, ""), field.column)) not in composite:
                faults.append(f"{table}: {field.column} has no composite reference (AddTenantKey).")
    return faults


def model_faults() -> list[str]:
    """Models that are neither owned nor listed as global, and plain references between owned rows."""
    faults = []
    owned_tables = owned_columns()
    for model in apps.get_models():
        label = model._meta.label_lower
        owned = model._meta.db_table in owned_tables
        if not owned and label not in GLOBAL_MODELS:
            faults.append(f"{label} is neither owned by an account nor listed in tenancy/registry.py.")
        if owned and label in GLOBAL_MODELS:
            faults.append(f"{label} is owned and listed as global.")
        for field in model._meta.local_fields:
            target = field.related_model if field.is_relation else None
            if isinstance(target, type) and issubclass(target, TenantModel) and not isinstance(field, TenantForeignKey):
                faults.append(f"{label}.{field.name} refers to an owned row without TenantForeignKey.")
    return faults


def all_faults() -> list[str]:
    """Everything that is wrong, in words; empty when both walls stand."""
    return [*model_faults(), *role_faults(), *table_faults(), *key_faults()]


def require_walls() -> None:
    """Called by every process that serves, before it does. Raises WallDown with all faults."""
    faults = all_faults()
    if faults:
        raise WallDown("Strongroom does not start without isolation:\n- " + "\n- ".join(faults))


@register("tenancy")
def models_are_placed(**_: Any) -> list[Error]:
    """System check: every model is owned or listed, so that nobody forgets."""
    return [Error(fault, id="tenancy.E001") for fault in model_faults()]
