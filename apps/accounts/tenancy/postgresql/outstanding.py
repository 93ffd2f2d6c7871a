"""A scope that PostgreSQL does not know of yet.

A scope by itself is two round trips, and one around a single read takes three times as long as the read. So BEGIN and
the setting of wall two wait for the first statement, and go before it, whoever sends it: all of Django's code and ours
takes psycopg's connection by the attribute ``connection``, and runs statements of Django's cursors; both send what is
outstanding first. What is left is a cursor of psycopg's own that was made before the scope: what it runs until then is
outside of the scope, and sees no rows.

Kept reads (``read``) alone need no BEGIN at all. The setting and the statement are sent together, which PostgreSQL
takes as one transaction, and both are over with the answer. As each statement sees what is committed by then
(READ COMMITTED), a scope of such reads finds what it would have found in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from weakref import WeakSet

import psycopg
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from psycopg import errors, pq

from apps.accounts.tenancy.postgresql.pipeline import together

_SCOPE = b"strongroom_scope"
_SET_SCOPE = b"SELECT set_config($1, $2, true), set_config('role', 'none', true)"
_keeping: WeakSet[psycopg.Connection[Any]] = WeakSet()
"""The sessions that keep ``_SCOPE``."""
# What ``connect`` forgets of the blocks that are open, because it expects none.
_BLOCKS = ("in_atomic_block", "atomic_blocks", "savepoint_ids", "commit_on_exit", "needs_rollback", "run_on_commit")


class ConnectionLost(OperationalError):
    """The server ended the connection before the transaction began."""


class OutstandingMixin:
    """The part of a ``DatabaseWrapper`` that begins scopes late."""

    _session: psycopg.Connection[Any] | None = None
    _scope: tuple[str, UUID] | None = None
    """The setting of the scope that PostgreSQL does not know of, and its owner."""
    _checked = False
    """What ``health_check_done`` is when the scope ends without a word to PostgreSQL."""

    @property
    def connection(self) -> psycopg.Connection[Any] | None:
        """psycopg's connection, with nothing outstanding; None while there is none."""
        if self._scope is not None:
            self._catch_up()
        return self._session

    @connection.setter
    def connection(self, session: psycopg.Connection[Any] | None) -> None:
        self._session, self._scope = session, None

    @property
    def untouched(self) -> psycopg.Connection[Any] | None:
        """psycopg's connection to look at, not to use: something may be outstanding on it."""
        return self._session

    def make_cursor(self, cursor: Any) -> Any:
        """As Django's."""
        return _CursorWrapper(cursor, self)

    def may_begin_later(self: Any) -> bool:
        """Whether a scope can begin here and now: an open connection, no transaction, nobody who counts statements."""
        session = self._session
        return (
            session is not None
            and not session.closed
            and self.autocommit
            and not self.in_atomic_block
            and not self.queries_logged
            and not self.execute_wrappers
            and session.pgconn.transaction_status == pq.TransactionStatus.IDLE
            and (session.isolation_level, session.read_only, session.deferrable) == (None, None, None)
        )

    def begin_later(self: Any, setting: str, owner: UUID, atomic: Any) -> None:
        """What ``Atomic.__enter__`` does, without a word to PostgreSQL. Requires ``may_begin_later``."""
        self._scope = setting, owner
        # The connection counts as checked from here on: the first statement will tell.
        self._checked, self.health_check_done = self.health_check_done, True
        self.commit_on_exit, self.needs_rollback = True, False
        self.autocommit, self.in_atomic_block = False, True
        self.atomic_blocks.append(atomic)

    def end_at_once(self: Any, atomic: Any) -> bool:
        """What ``Atomic.__exit__`` does, where PostgreSQL was told nothing; False: the long way is needed."""
        if self.run_on_commit or self.atomic_blocks != [atomic] or not self.forget_scope():
            return False
        self.atomic_blocks.pop()
        self.in_atomic_block, self.autocommit, self.needs_rollback = False, True, False
        self.health_check_done = self._checked
        return True

    def forget_scope(self) -> bool:
        """Whether there is a scope that PostgreSQL knows nothing of: now it is over."""
        known, self._scope = self._scope is None, None
        return not known

    def read(self, name: bytes, values: Sequence[Any], formats: Sequence[pq.Format]) -> Any:
        """The binary result of a kept statement that only reads.

        None when nothing was asked, because the connection has died or its statements are gone: ``connection`` is
        one that is well then. Raises psycopg's errors for what goes wrong before the statement.
        """
        if self._scope is None:
            session = self.connection
            assert session is not None
            with session.lock:
                return session.pgconn.exec_prepared(name, values, formats, pq.Format.BINARY)
        session, (setting, owner) = self._session, self._scope
        assert session is not None
        scope = (_SCOPE, [setting.encode(), str(owner).encode()], None, pq.Format.TEXT)
        with session.lock:
            if not _keeps_scopes(session):
                return None
            results = together(session, [scope, (name, values, formats, pq.Format.BINARY)])
        if results is None:
            return None
        scoped, result = results
        if scoped.status != pq.ExecStatus.TUPLES_OK:
            fault = errors.error_from_result(scoped)
            if not isinstance(fault, errors.InvalidSqlStatementName):
                raise fault
            _keeping.discard(session)
            return None
        self._checked = True
        return result

    def _catch_up(self: Any) -> None:
        """Do what was put off. Raises ConnectionLost, or what PostgreSQL says to the scope."""
        assert self._scope is not None
        (setting, owner), self._scope = self._scope, None
        command = f"BEGIN; SELECT set_config('{setting}', '{owner}', true), set_config('role', 'none', true)"
        try:
            self._begin(command.encode())
        except ConnectionLost:
            self._connect_inside()
            self._begin(command.encode())

    def _begin(self: Any, command: bytes) -> None:
        session = self._session
        with self.wrap_database_errors:
            if not session.closed:
                session.autocommit = False
            with session.lock:
                result: Any = None if session.closed else session.pgconn.exec_(command)
            if session.closed:
                raise ConnectionLost("The database ended the connection.")
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise errors.error_from_result(result)

    def _connect_inside(self: Any) -> None:
        """A new connection for a transaction in which nothing has happened."""
        blocks = {name: getattr(self, name) for name in _BLOCKS}
        self._session.close()
        self.connect()
        self.autocommit = False
        vars(self).update(blocks)


class _CursorWrapper(CursorWrapper):
    """A cursor that may have been made before the scope that it is used in."""

    def _execute_with_wrappers(self, *args: Any, **kwargs: Any) -> Any:
        self.db.connection  # noqa: B018 - for what it sends first
        return super()._execute_with_wrappers(*args, **kwargs)  # type: ignore[misc]


def _keeps_scopes(session: psycopg.Connection[Any]) -> bool:
    """Prepare what a read takes along, once for each session. False when it has died."""
    if not session.closed and session not in _keeping:
        try:
            session.pgconn.prepare(_SCOPE, _SET_SCOPE)
        except psycopg.OperationalError:
            session.close()
        _keeping.add(session)
    return not session.closed
