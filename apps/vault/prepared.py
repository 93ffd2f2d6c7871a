"""Statements that PostgreSQL keeps prepared, with rows in the binary format: for the hottest reads alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection


def fetch_prepared(sql: str, parameters: Sequence[Any]) -> list[Any]:
    """The rows of ``sql``, whose plan must be good for all values of its parameters. Inside of a scope.

    Django's log of statements does not see it: who counts statements (``connection.queries_logged``) sends it by
    Django's own cursor instead.
    """
    session = connection.connection
    assert session is not None, "A scope is a transaction, so there is a connection."
    prepares = _is_direct(session)
    with psycopg.Cursor(session) as cursor:
        # For this statement alone: Django switches it off, and what others send may need a plan for its values.
        session.prepare_threshold = 0 if prepares else None
        try:
            cursor.execute(sql, parameters, binary=True, prepare=prepares)  # type: ignore[call-overload]
        finally:
            session.prepare_threshold = None
        return cursor.fetchall()


_direct: WeakKeyDictionary[psycopg.Connection[Any], bool] = WeakKeyDictionary()


def _is_direct(session: psycopg.Connection[Any]) -> bool:
    """Whether the same process of PostgreSQL answers as long as the connection lives.

    Behind PgBouncer in transaction mode it does not, and a statement prepared by one is unknown to the next. Such a
    pooler names a process of its own making when the connection begins.
    """
    direct = _direct.get(session)
    if direct is None:
        with psycopg.Cursor(session) as cursor:
            answering = cursor.execute("SELECT pg_backend_pid()").fetchone()
        direct = _direct[session] = answering == (session.info.backend_pid,)
    return direct
