"""Rows of the tables of the project in scope."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, OrderBy, QuerySet
from django.db.models.fields.json import KeyTransform
from django.db.utils import DataError
from django.utils import timezone

from apps.integrations.models import ZeroRow, ZeroTable
from apps.integrations.zerodb.server.errors import ApiError, invalid_field, row_not_found, table_not_found
from apps.integrations.zerodb.server.identifiers import new_row_id
from apps.integrations.zerodb.server.metadata_filter import Condition, compile_to_sql
from apps.integrations.zerodb.server.rows.requests import Change, Removal, RowQuery
from apps.integrations.zerodb.server.rows.updating import updated
from apps.integrations.zerodb.server.store.tables import find_table
from apps.integrations.zerodb.server.tables.schema import fitted, unique_indexes
from apps.integrations.zerodb.server.walls import current_project_id

_ROWS = ZeroRow._meta.db_table
_COLUMNS = {"row_id": "public_id", "_id": "public_id", "created_at": "created_at", "updated_at": "updated_at"}
_IDS = ("row_id", "_id")
# Fields of the row itself, and its id under the two names clients use.
_WITH_IDS = f"({_ROWS}.row_data || jsonb_build_object('row_id', {_ROWS}.public_id, '_id', {_ROWS}.public_id))"


def insert_rows(name: str, rows: list[dict[str, Any]]) -> tuple[ZeroTable, list[ZeroRow]]:
    """Store all of ``rows`` or none, with the defaults of the schema. Raises ApiError 404, 409, 422."""
    table = find_table(name)
    table = _alone(table)
    return table, _insert(table, rows)


def _alone(table: ZeroTable) -> ZeroTable:
    """Where values may be there once only, writers take turns."""
    return find_table(table.public_id, for_change=True) if unique_indexes(table.definition) else table


def _insert(table: ZeroTable, rows: list[dict[str, Any]]) -> list[ZeroRow]:
    made = [ZeroRow(table=table, public_id=new_row_id(), row_data=row) for row in fitted(rows, table.definition)]
    try:
        with transaction.atomic():
            ZeroRow.objects.bulk_create(made)
    except IntegrityError:  # the table went in between
        raise table_not_found(table.public_id) from None
    _refuse_repeated(table, made)
    return made


def _refuse_repeated(table: ZeroTable, written: Sequence[ZeroRow]) -> None:
    for columns in unique_indexes(table.definition):
        values = [row.row_data[columns[0]] for row in written if row.row_data.get(columns[0]) is not None]
        groups = ", ".join("row_data -> %s::text" for _ in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM {_ROWS} WHERE project_id = %s AND table_id = %s "
                f"AND row_data -> %s::text = ANY(%s::jsonb[]) GROUP BY {groups} HAVING count(*) > 1 LIMIT 1",
                [current_project_id(), table.id, columns[0], [json.dumps(value) for value in values], *columns],
            )
            if cursor.fetchone():
                words = f"The values of {', '.join(columns)} must be unique in table '{table.name}'."
                raise ApiError(409, "CONFLICT", words)


def find_rows(name: str, wanted: RowQuery) -> tuple[ZeroTable, list[ZeroRow], int]:
    """A page of the rows that match, newest first unless sorted, and how many match. Raises ApiError 404, 422."""
    table = find_table(name)
    rows = _matching(table, wanted.conditions)
    order = [_order(field, descending) for field, descending in wanted.sort]
    rows = rows.order_by(*order, *(["-created_at", "-id"] if not order else ["created_at", "id"]))
    with _bad_pattern_refused():
        total = rows.count()
        page = list(rows[wanted.offset : wanted.offset + wanted.limit])
    return table, page, total


def _order(field: str, descending: bool) -> OrderBy:
    key = F(_COLUMNS[field]) if field in _COLUMNS else KeyTransform(field.removeprefix("row_data."), "row_data")
    nulls: dict[str, bool] = {"nulls_last": True} if descending else {"nulls_first": True}
    return OrderBy(key, descending=descending, **nulls)


def _matching(table: ZeroTable, conditions: Sequence[Condition]) -> QuerySet[ZeroRow]:
    rows: QuerySet[ZeroRow] = ZeroRow.objects.filter(table=table)
    if conditions:
        by_id = any(condition.field in _IDS for condition in conditions)
        where, params = compile_to_sql(conditions, _WITH_IDS if by_id else f"{_ROWS}.row_data")
        rows = rows.extra(where=[where], params=params)  # noqa: S610 - the text is ours, values are parameters
    return rows


@contextmanager
def _bad_pattern_refused() -> Iterator[None]:
    """The database knows fewer patterns than Python: what it refuses is the caller's fault."""
    try:
        yield
    except DataError as error:
        if "regular expression" not in str(error):
            raise
        raise invalid_field(
            "filter", "Operator '$regex' requires a simpler regular expression", code="INVALID_METADATA_FILTER"
        ) from None


def get_row(name: str, row_id: str, *, for_change: bool = False) -> tuple[ZeroTable, ZeroRow]:
    """One row and its table. Raises ApiError 404."""
    table = find_table(name)
    rows = ZeroRow.objects.select_for_update() if for_change else ZeroRow.objects.all()
    row = rows.filter(table=table, public_id=row_id).first()
    if row is None:
        raise row_not_found(row_id)
    return table, row


def write_row(name: str, row_id: str, row_data: dict[str, Any], *, merge: bool) -> tuple[ZeroTable, ZeroRow]:
    """Replace a row's fields, or ``merge`` some into them. Raises ApiError 404, 409, 422."""
    table, row = get_row(name, row_id, for_change=True)
    (row.row_data,) = fitted([row.row_data | row_data if merge else row_data], table.definition)
    _save(_alone(table), [row])
    return table, row


def _save(table: ZeroTable, rows: Sequence[ZeroRow]) -> None:
    now = timezone.now()
    for row in rows:
        row.updated_at = now
    ZeroRow.objects.bulk_update(rows, ["row_data", "updated_at"], batch_size=500)
    _refuse_repeated(table, rows)


def change_rows(name: str, wanted: Change) -> tuple[int, int, list[str]]:
    """How many rows matched, how many were changed, and the id of a row that an upsert made.

    Raises ApiError 404, 409, 422.
    """
    table = _alone(find_table(name))
    with _bad_pattern_refused():
        matched = list(_matching(table, wanted.conditions).select_for_update().order_by("id"))
    if not matched:
        made = _insert(table, [updated(wanted.equal, wanted.update)]) if wanted.upsert else []
        return 0, 0, [row.public_id for row in made]
    changed = []
    for row in matched:
        after = updated(row.row_data, wanted.update)
        if after != row.row_data:
            row.row_data = after
            changed.append(row)
    fitted([row.row_data for row in changed], table.definition)
    _save(table, changed)
    return len(matched), len(changed), []


def delete_rows(name: str, wanted: Removal) -> int:
    """Remove what matches, oldest first up to the limit. Returns how many. Raises ApiError 404, 422."""
    rows = _matching(find_table(name), wanted.conditions)
    with _bad_pattern_refused():
        if wanted.limit:
            oldest = rows.order_by("created_at", "id").values_list("id", flat=True)[: wanted.limit]
            rows = ZeroRow.objects.filter(pk__in=list(oldest))
        deleted: int = rows.delete()[0]
    return deleted


def delete_row(name: str, row_id: str) -> ZeroTable:
    """Remove one row. Raises ApiError 404."""
    table, row = get_row(name, row_id, for_change=True)
    row.delete()
    return table
