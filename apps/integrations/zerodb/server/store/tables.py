"""Tables of the project in scope."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count

from apps.integrations.models import ZeroRow, ZeroTable
from apps.integrations.zerodb.server.errors import table_exists, table_not_found
from apps.integrations.zerodb.server.identifiers import new_table_id
from apps.integrations.zerodb.server.tables.requests import NewTable


def create_table(wanted: NewTable) -> ZeroTable:
    """A new, empty table. Raises ApiError 409."""
    try:
        with transaction.atomic():
            table: ZeroTable = ZeroTable.objects.create(
                public_id=new_table_id(),
                name=wanted.name,
                description=wanted.description,
                definition=wanted.definition,
            )
    except IntegrityError:
        raise table_exists(wanted.name) from None
    return table


def find_table(table: str, *, for_change: bool = False) -> ZeroTable:
    """A table by its id or its name. ``for_change`` lets nobody else change it until the end. Raises ApiError 404."""
    rows = ZeroTable.objects.select_for_update() if for_change else ZeroTable.objects.all()
    field = "public_id" if table.startswith("tbl_") and ZeroTable.objects.filter(public_id=table).exists() else "name"
    found: ZeroTable | None = rows.filter(**{field: table}).first()
    if found is None:
        raise table_not_found(table)
    return found


def list_tables(*, limit: int, offset: int) -> tuple[list[ZeroTable], int]:
    """A page, oldest first, and how many there are in all."""
    rows = ZeroTable.objects.order_by("created_at", "id")
    return list(rows[offset : offset + limit]), rows.count()


def count_rows(tables: list[ZeroTable]) -> dict[UUID, int]:
    """How many rows each table has."""
    counted = ZeroRow.objects.filter(table__in=tables).values_list("table_id").annotate(count=Count("id")).order_by()
    found = dict(counted)
    return {table.id: found.get(table.id, 0) for table in tables}


def delete_table(name: str) -> tuple[ZeroTable, int]:
    """Remove a table with its rows; the table as it was, and how many rows. Raises ApiError 404."""
    table = find_table(name, for_change=True)
    deleted: int = ZeroRow.objects.filter(table=table).delete()[0]
    ZeroTable.objects.filter(pk=table.pk).delete()
    return table, deleted
