"""``…/tables/{table}/rows`` and ``…/query``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from apps.integrations.models import ZeroRow, ZeroTable
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.rows import requests
from apps.integrations.zerodb.server.scopes import ProjectReference
from apps.integrations.zerodb.server.store import rows as store
from apps.integrations.zerodb.server.tables.views import is_bare


def row_answer(table: ZeroTable, row: ZeroRow) -> dict[str, Any]:
    """One row with its table."""
    return {
        "row_id": row.public_id,
        "table_id": table.public_id,
        "row_data": row.row_data,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def flat_answer(row: ZeroRow, shown: Mapping[str, bool]) -> dict[str, Any]:
    """One row as a query answers it: its fields beside its ``_id``, as documented, and ``row_data`` as in a list."""
    fields = row.row_data
    if any(wanted for name, wanted in shown.items() if name != "_id"):
        fields = {name: value for name, value in fields.items() if shown.get(name)}
    elif shown:
        fields = {name: value for name, value in fields.items() if shown.get(name, True)}
    own = {"row_id": row.public_id, "row_data": fields, "created_at": row.created_at, "updated_at": row.updated_at}
    answer = own | fields | {"row_id": row.public_id, "row_data": fields}
    return answer | {"_id": row.public_id} if shown.get("_id", True) else answer


def insert(call: Call, scope: ProjectReference, table: str) -> tuple[int, dict[str, Any]]:
    """``POST …/rows``."""
    wanted = requests.read_rows(call)
    with call.project(scope, writes=True, created_only=is_bare(call, scope)):
        _, made = store.insert_rows(table, wanted)
    ids = [row.public_id for row in made]
    return 201, {
        "rows": [{"row_id": row.public_id, "row_data": row.row_data, "created_at": row.created_at} for row in made],
        "inserted_count": len(made),
        "row_ids": ids,
        "inserted_ids": ids,
    }


def list_all(call: Call, scope: ProjectReference, table: str) -> dict[str, Any]:
    """``GET …/rows``."""
    wanted = requests.read_list(call)
    with call.project(scope, created_only=is_bare(call, scope)):
        found, page, total = store.find_rows(table, wanted)
    return {
        "rows": [row_answer(found, row) for row in page],
        "total": total,
        "limit": wanted.limit,
        "offset": wanted.offset,
        "has_more": wanted.offset + len(page) < total,
    }


def query(call: Call, scope: ProjectReference, table: str) -> dict[str, Any]:
    """``POST …/query``."""
    wanted = requests.read_query(call)
    with call.project(scope, created_only=is_bare(call, scope)):
        _, page, total = store.find_rows(table, wanted)
    return {
        "rows": [flat_answer(row, wanted.shown) for row in page],
        "total": total,
        "limit": wanted.limit,
        "offset": wanted.offset,
        "has_more": wanted.offset + len(page) < total,
    }


def change(call: Call, scope: ProjectReference, table: str) -> dict[str, Any]:
    """``PUT`` and ``PATCH …/rows``: all rows that match."""
    wanted = requests.read_change(call)
    with call.project(scope, writes=True, created_only=is_bare(call, scope)):
        matched, modified, made = store.change_rows(table, wanted)
    return {
        "matched_count": matched,
        "modified_count": modified,
        "updated_count": modified,
        "upserted_count": len(made),
        "upserted_id": made[0] if made else None,
    }


def delete_many(call: Call, scope: ProjectReference, table: str) -> dict[str, Any]:
    """``DELETE …/rows``: all rows that match."""
    wanted = requests.read_removal(call)
    with call.project(scope, writes=True, created_only=is_bare(call, scope)):
        return {"deleted_count": store.delete_rows(table, wanted)}


def show(call: Call, scope: ProjectReference, table: str, row_id: str) -> dict[str, Any]:
    """``GET …/rows/{row_id}``."""
    with call.project(scope, created_only=is_bare(call, scope)) as project:
        found, row = store.get_row(table, row_id)
        return row_answer(found, row) | {"project_id": project.public_id}


def replace(call: Call, scope: ProjectReference, table: str, row_id: str) -> dict[str, Any]:
    """``PUT …/rows/{row_id}``."""
    return _write(call, scope, table, row_id, merge=False)


def merge(call: Call, scope: ProjectReference, table: str, row_id: str) -> dict[str, Any]:
    """``PATCH …/rows/{row_id}``."""
    return _write(call, scope, table, row_id, merge=True)


def _write(call: Call, scope: ProjectReference, table: str, row_id: str, *, merge: bool) -> dict[str, Any]:
    row_data = requests.read_one_row(call)
    with call.project(scope, writes=True, created_only=is_bare(call, scope)) as project:
        found, row = store.write_row(table, row_id, row_data, merge=merge)
        return row_answer(found, row) | {"project_id": project.public_id}


def delete_one(call: Call, scope: ProjectReference, table: str, row_id: str) -> dict[str, Any]:
    """``DELETE …/rows/{row_id}``."""
    with call.project(scope, writes=True, created_only=is_bare(call, scope)):
        found = store.delete_row(table, row_id)
    return {"row_id": row_id, "table_id": found.public_id, "deleted": True, "deleted_at": timezone.now()}
