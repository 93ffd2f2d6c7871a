"""``…/tables``: tables of JSON rows."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.integrations.models import ZeroTable
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import ApiError
from apps.integrations.zerodb.server.scopes import Form, ProjectReference
from apps.integrations.zerodb.server.store import tables as store
from apps.integrations.zerodb.server.tables import requests


def is_bare(call: Call, scope: ProjectReference) -> bool:
    """Whether the path leaves ``/database/`` out: then only created projects have tables."""
    return scope.form is not Form.CALL and "/database/" not in call.request.path_info


def table_answer(table: ZeroTable, project_id: str, row_count: int) -> dict[str, Any]:
    """A whole table."""
    return {
        "id": table.public_id,
        "table_id": table.public_id,
        "table_name": table.name,
        "name": table.name,
        "description": table.description or None,
        "schema": table.definition,
        "project_id": project_id,
        "row_count": row_count,
        "created_at": table.created_at,
        "updated_at": table.updated_at,
    }


def create(call: Call, scope: ProjectReference) -> tuple[int, dict[str, Any]]:
    """``POST …/tables``."""
    wanted = requests.read_create(call)
    with call.project(scope, writes=True, created_only=is_bare(call, scope)) as project:
        table = store.create_table(wanted)
        return 201, table_answer(table, project.public_id, 0)


def list_all(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/tables``."""
    wanted = requests.read_page(call)
    with call.project(scope, created_only=is_bare(call, scope)) as project:
        page, total = store.list_tables(limit=wanted.limit, offset=wanted.offset)
        counts = store.count_rows(page)
        answers = [table_answer(table, project.public_id, counts[table.id]) for table in page]
    return {"tables": answers, "total": total, "limit": wanted.limit, "offset": wanted.offset}


def show(call: Call, scope: ProjectReference, table: str) -> dict[str, Any]:
    """``GET …/tables/{table}``, by id or name."""
    with call.project(scope, created_only=is_bare(call, scope)) as project:
        found = store.find_table(table)
        return table_answer(found, project.public_id, store.count_rows([found])[found.id])


def delete(call: Call, scope: ProjectReference, table: str) -> dict[str, Any]:
    """``DELETE …/tables/{table}``. The documented path wants ``confirm``; the bare one does without."""
    confirmed = requests.read_confirmation(call)
    with call.project(scope, writes=True, created_only=is_bare(call, scope)):
        store.find_table(table)
        by_paper = scope.form is not Form.CALL and not is_bare(call, scope)
        if confirmed is False or (confirmed is None and by_paper):
            raise ApiError(
                400,
                "CONFIRMATION_REQUIRED",
                "Confirmation required. Set confirm=true to delete the table and its rows.",
            )
        deleted, rows = store.delete_table(table)
    return {
        "id": deleted.public_id,
        "table_id": deleted.public_id,
        "table_name": deleted.name,
        "deleted": True,
        "deleted_at": timezone.now(),
        "rows_deleted": rows,
        "message": f"Table '{deleted.name}' deleted successfully",
    }
