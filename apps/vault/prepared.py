"""Statements that PostgreSQL keeps prepared, with rows in the binary format: for the hottest reads alone.

They go to libpq at once, past psycopg's cursor, which takes 90 µs to send a statement that PostgreSQL answers in 20.
What Python and PostgreSQL call a value is still psycopg's business, in C.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer

MOST = 100
"""How many statements a connection keeps prepared; the one that was used longest ago makes room."""

_PLACEHOLDER = re.compile("%(.)", re.DOTALL)
_Key = tuple[str, tuple[int, ...]]


def fetch_prepared(sql: str, parameters: Sequence[Any]) -> list[Any]:
    """The rows of ``sql``, whose plan must be good for all values of its parameters. Inside of a scope.

    Django's log of statements does not see it: who counts statements (``connection.queries_logged``) sends it by
    Django's own cursor instead. A signal (Ctrl-C) is heeded when PostgreSQL has answered.
    """
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    with wrapper.wrap_database_errors:
        rows = _fetch_known(wrapper, sql, parameters)
        if rows is not None:
            return rows
        session = wrapper.connection
        assert session is not None, "A scope is a transaction, so there is a connection."
        kept = _kept.get(session)
        if kept is None:
            kept = _kept[session] = _Kept(session)
        if kept.direct:
            return kept.fetch(wrapper, session, sql, parameters)
        return _fetch_unprepared(session, sql, parameters)


def _fetch_known(wrapper: Any, sql: str, parameters: Sequence[Any]) -> list[Any] | None:
    """The rows of a statement that the session keeps already, the scope sent along; else None."""
    session = wrapper.untouched
    kept = None if session is None else _kept.get(session)
    if kept is None or not kept.direct:
        return None
    values = _Values(session, parameters)
    key = (sql, values.types)
    name = kept.names.get(key)
    if name is None:
        return None
    kept.names.move_to_end(key)
    result = wrapper.read(name, values.dumped, values.formats)
    return None if result is None else kept.rows(session, values, result)


def _fetch_unprepared(session: psycopg.Connection[Any], sql: str, parameters: Sequence[Any]) -> list[Any]:
    with psycopg.Cursor(session) as cursor:
        return cursor.execute(sql, parameters, binary=True, prepare=False).fetchall()  # type: ignore[call-overload,no-any-return]


class _Values:
    """Parameters as they travel."""

    def __init__(self, session: psycopg.Connection[Any], parameters: Sequence[Any]) -> None:
        self.adapt: Any = Transformer(session)
        self.dumped = self.adapt.dump_sequence(parameters, [PyFormat.BINARY] * len(parameters))
        self.types: Any = self.adapt.types
        self.formats: Any = self.adapt.formats


class _Kept:
    """The statements that one connection keeps prepared."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        # Not the connection itself: by it this is found, as long as it lives.
        self.direct = _is_direct(session)
        self.names: OrderedDict[_Key, bytes] = OrderedDict()
        self.made = 0

    def fetch(self, wrapper: Any, session: psycopg.Connection[Any], sql: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows, of a statement that is prepared when it is not known yet. Raises psycopg's errors."""
        values = _Values(session, parameters)
        with session.lock:
            name = self.names.get((sql, values.types)) or self._prepare(session, (sql, values.types))
        return self.rows(session, values, wrapper.read(name, values.dumped, values.formats))

    def rows(self, session: psycopg.Connection[Any], values: _Values, result: Any) -> list[Any]:
        """What came back. Raises psycopg's errors."""
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise self._fault(session, result)
        values.adapt.set_pgresult(result, format=pq.Format.BINARY)
        rows: list[Any] = values.adapt.load_rows(0, result.ntuples, tuple)
        return rows

    def _prepare(self, session: psycopg.Connection[Any], key: _Key) -> bytes:
        if len(self.names) >= MOST:
            _, oldest = self.names.popitem(last=False)
            self._must(session, session.pgconn.exec_(b"DEALLOCATE " + oldest))
        self.made += 1
        name = b"strongroom_%d" % self.made
        self._must(session, session.pgconn.prepare(name, _numbered(key[0]).encode(), key[1]))
        self.names[key] = name
        return name

    def _must(self, session: psycopg.Connection[Any], result: Any) -> None:
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise self._fault(session, result)

    def _fault(self, session: psycopg.Connection[Any], result: Any) -> Exception:
        if session.closed:
            return psycopg.OperationalError("The database ended the connection.")
        fault = errors.error_from_result(result)
        if isinstance(fault, _OUTDATED):
            self.names.clear()  # prepared anew under other names
        return fault


_OUTDATED = (errors.FeatureNotSupported, errors.InvalidSqlStatementName)
"""What PostgreSQL says when a table was changed under a kept statement, or when somebody discarded all of them."""

_kept: WeakKeyDictionary[psycopg.Connection[Any], _Kept] = WeakKeyDictionary()


def _numbered(sql: str) -> str:
    """``%s`` and ``%%`` as PostgreSQL writes them: ``$1``, ``$2``, … and ``%``."""
    number = 0

    def written(match: re.Match[str]) -> str:
        nonlocal number
        if match[1] == "%":
            return "%"
        assert match[1] == "s", f"No placeholder is called {match[0]}."
        number += 1
        return f"${number}"

    return _PLACEHOLDER.sub(written, sql)


def _is_direct(session: psycopg.Connection[Any]) -> bool:
    """Whether the same process of PostgreSQL answers as long as the connection lives.

    Behind PgBouncer in transaction mode it does not, and a statement prepared by one is unknown to the next. Such a
    pooler names a process of its own making when the connection begins.
    """
    with psycopg.Cursor(session) as cursor:
        answering = cursor.execute("SELECT pg_backend_pid()").fetchone()
    return answering == (session.info.backend_pid,)
