"""Beginning a scope's transaction with one round trip to the database instead of three, or none.

The scope of an owner waits for its first statement where it can (``postgresql.outstanding``). Otherwise ``BEGIN`` and
the statement that says whose rows exist go together. As nothing is done before them, they also find out whether a kept
connection is still alive (Django would ask ``SELECT 1`` first): when it is not, they are sent again on a new one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connections, transaction
from psycopg import errors, pq

from apps.accounts.tenancy.postgresql.outstanding import ConnectionLost


class Opened:
    """``transaction.atomic``, outermost, with ``statement`` run in it first: a SELECT without parameters.

    ``later``: the setting and the owner that the statement is about; it may then wait for the first other one.
    """

    def __init__(self, using: str, statement: str, later: tuple[str, UUID] | None = None) -> None:
        self._using, self._statement, self._later = using, statement, later
        self._connection: Any = connections[using]

    def __enter__(self) -> None:
        connection = self._connection
        if self._later is not None and connection.may_begin_later():
            self._atomic: Any = transaction.Atomic(self._using, savepoint=True, durable=False)
            connection.begin_later(*self._later, self._atomic)
            return
        # A connection of Django's that was kept from another request counts as checked from here on.
        connection.health_check_done = True
        try:
            self._begin(connection)
        except ConnectionLost:
            connection.close()
            self._begin(connection)

    def __exit__(self, *exception: Any) -> None:
        if exception[0] is not None or not self._connection.end_at_once(self._atomic):
            self._atomic.__exit__(*exception)

    def _begin(self, connection: Any) -> None:
        self._atomic = transaction.Atomic(self._using, savepoint=True, durable=False)
        if _is_plain(connection):
            self._begin_at_once(connection)
            return
        self._atomic.__enter__()
        try:
            _send(connection, self._statement)
        except BaseException as error:
            self._atomic.__exit__(type(error), error, error.__traceback__)
            raise

    def _begin_at_once(self, connection: Any) -> None:
        """What ``Atomic.__enter__`` does with a connection that is open and in no transaction, and the statement."""
        session = connection.connection
        session.autocommit = False
        try:
            _send(connection, self._statement)
        except BaseException:
            if not session.closed:
                session.rollback()
                session.autocommit = True
            raise
        connection.commit_on_exit, connection.needs_rollback = True, False
        connection.autocommit, connection.in_atomic_block = False, True
        connection.atomic_blocks.append(self._atomic)


def _is_plain(connection: Any) -> bool:
    return (
        connection.connection is not None
        and not connection.connection.closed
        and connection.autocommit
        and not connection.in_atomic_block
        and not connection.queries_logged
        and not connection.execute_wrappers
        and connection.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
    )


def _send(connection: Any, statement: str) -> None:
    session = connection.connection
    own_begin = (session.isolation_level, session.read_only, session.deferrable)
    if connection.queries_logged or connection.execute_wrappers or own_begin != (None, None, None):
        # Somebody watches the statements, or a transaction begins with more than BEGIN: the long way.
        with connection.cursor() as cursor:
            cursor.execute(statement)
        return
    with connection.wrap_database_errors, session.lock:
        result = None if session.closed else session.pgconn.exec_(f"BEGIN; {statement}".encode())
        if result is not None and result.status != pq.ExecStatus.TUPLES_OK and not session.closed:
            raise errors.error_from_result(result)
    if session.closed:
        raise ConnectionLost("The database ended the connection.")
