"""The hottest read of the product, a page of contacts by recency, as short as it can be made.

The statement is the ORM's own, with its account filter; it is compiled once per shape instead of at every request,
PostgreSQL keeps it prepared, and its rows come in the binary format, which psycopg reads in C (Django's cursor reads
times as text, in Python).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.keyset import Page, Position, beginning_at, cut
from apps.vault.models import Contact
from apps.vault.prepared import fetch_prepared

ORDER = ("last_activity_at", "id")

_Shape = tuple[tuple[str, ...], bool, bool, int]
_statements: dict[_Shape, str] = {}
_MOST = 1000
"""Shapes differ in the limit alone, which the API bounds; this bounds them for everybody else."""


def recent_page(account_id: UUID, columns: tuple[str, ...], position: Position | None, limit: int) -> Page[Any]:
    """Contacts of the account, which must be the one in scope, the latest activity first: sealed rows."""
    at, row_id = columns.index(ORDER[0]), columns.index(ORDER[1])
    return cut(_rows(account_id, columns, position, limit), position, limit, lambda row: (row[at], row[row_id]))


def _rows(account_id: UUID, columns: tuple[str, ...], position: Position | None, limit: int) -> list[Any]:
    queryset = Contact.objects.values_list(*columns)
    if connection.queries_logged:
        # Django's log of statements sees its own cursors only; who counts statements must see this one.
        return list(beginning_at(queryset, ORDER, position, limit))
    shape = (columns, position is None, position is not None and position.backwards, limit)
    parameters = (account_id, *(position.key if position else ()))
    sql = _statements.get(shape)
    if sql is None:
        sql, compiled = beginning_at(queryset, ORDER, position, limit).query.sql_with_params()
        assert compiled == parameters, "The statement is kept without its values, so these must be all it has."
        if len(_statements) >= _MOST:
            _statements.clear()
        _statements[shape] = sql
    return fetch_prepared(sql, parameters)
