"""Filling tables behind row security quickly: COPY into them is refused, and the serving role makes no tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.accounts.tenancy.scope import Wall
from tests import database

NAME = "bench"
"""The bench's own database."""


def insert(
    table: str, columns: str, rows: Sequence[Sequence[Any]], wall: Wall, owner_id: UUID, types: str = ""
) -> None:
    """``rows`` of one owner, through a table of the session's own. With ``types``, in PostgreSQL's binary format."""
    names = ", ".join(columns.split())
    with database.owner_connection(NAME) as session, session.transaction(), session.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [wall.setting, str(owner_id)])
        cursor.execute(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")
        with cursor.copy(f"COPY incoming ({names}) FROM STDIN {'(FORMAT BINARY)' if types else ''}") as copy:
            if types:
                copy.set_types(types.split())
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")
