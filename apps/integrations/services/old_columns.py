"""Reading credentials from a column of another system's database, which is never written to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

SLUGS = ("slug", "subdomain")
"""Columns that name an account there, in the order in which they are tried."""


class CantRead(Exception):
    """The other database or its table can't be read. ``str(error)`` holds no password."""


@dataclass(frozen=True)
class OldValue:
    """What one account had."""

    slug: str
    value: str


def read_column(url: str, table: str, column: str) -> Iterator[OldValue]:
    """The column's values that are not empty, by the account's slug there. Raises CantRead."""
    try:
        with psycopg.connect(url, connect_timeout=10, options="-c default_transaction_read_only=on") as connection:
            slug = _slug_column(connection, table, column)
            query = sql.SQL("SELECT {slug}, {column} FROM {table} WHERE {column} <> '' ORDER BY {slug}").format(
                slug=sql.Identifier(slug), column=sql.Identifier(column), table=sql.Identifier(*table.split("."))
            )
            for name, value in connection.execute(query):
                if name:
                    yield OldValue(str(name), str(value))
    except psycopg.Error as error:
        raise CantRead(f"The old database can't be read ({type(error).__name__}).") from None


def _slug_column(connection: psycopg.Connection, table: str, column: str) -> str:
    row = connection.execute(
        "SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0", [table]
    ).fetchone()
    columns = (row[0] if row else None) or []
    if not columns:
        raise CantRead(f"The old database has no table {table}.")
    slug = next((name for name in SLUGS if name in columns), None)
    if column not in columns or slug is None:
        raise CantRead(f"{table} needs the columns {column} and {' or '.join(SLUGS)}.")
    return slug
