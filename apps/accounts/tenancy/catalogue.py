"""Whether wall two stands: tables, policies and keys, read from PostgreSQL's catalogue."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection

from apps.accounts.tenancy.models import TenantForeignKey
from apps.accounts.tenancy.registry import SPANNING_INDEXES, owned_columns, walls

_TABLES = """
SELECT c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner),
       array_agg(a.attname ORDER BY a.attname),
       ARRAY(SELECT DISTINCT pg_get_userbyid(x.grantee) FROM aclexplode(c.relacl) x
             WHERE x.privilege_type = 'TRUNCATE' AND x.grantee <> c.relowner)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'm', 'f')
   OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false))
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
    for table, kind, enabled, forced, owner, names, truncators in tables:
        wanted = columns.get(table) or _owner_column(names, table)
        if wanted is None:
            continue
        column, setting = wanted
        if kind in {"m", "f", "v"}:
            faults.append(f"{table}: row security does not reach materialised views, foreign tables or owners' views.")
            continue
        if truncators:
            faults.append(f"{table}: {', '.join(truncators)} may TRUNCATE it, whoever owns the rows.")
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
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.o),
       con.confrelid::regclass::text
FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
WHERE con.contype = 'f'
UNION ALL
SELECT c.relname, 'u', i.relname,
       ARRAY(SELECT coalesce(a.attname, '') FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(n, o)
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.o),
       ''
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
WHERE x.indisunique
"""


def key_faults() -> list[str]:
    """Keys of owned tables that do not begin with the owner, and references that could point elsewhere."""
    owned = {table: column for table, (column, _) in owned_columns().items() if column != "id"}
    with connection.cursor() as cursor:
        cursor.execute(_KEYS)
        keys = cursor.fetchall()
    faults = [
        f"{table}: {name} does not begin with {owned[table]}."
        for table, kind, name, names, _ in keys
        if table in owned and kind == "u" and names[0] != owned[table] and name not in SPANNING_INDEXES
    ]
    faults += [
        f"{table}: {name} can point into another account."
        for table, kind, name, names, target in keys
        if kind == "f" and target in owned and names[0] != owned[target]
    ]
    composite = {(table, tuple(names)) for table, kind, _, names, _ in keys if kind == "f"}
    for model in apps.get_models():
        for field in model._meta.local_fields:
            table = model._meta.db_table
            if isinstance(field, TenantForeignKey) and (table, (owned.get(table, ""), field.column)) not in composite:
                faults.append(f"{table}: {field.column} has no composite reference (AddTenantKey).")
    return faults
