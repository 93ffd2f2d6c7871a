"""Waiting for rows that somebody else holds, but not for ever."""

from __future__ import annotations

from django.db import connection
from psycopg.errors import LockNotAvailable


def wait_at_most(seconds: float) -> None:
    """Let every lock of this transaction be waited for so long; 0: for ever again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(round(seconds * 1000))])


def waited_too_long(error: BaseException) -> bool:
    """Whether ``error`` (Django's OperationalError) says that the time was over."""
    return isinstance(error.__cause__, LockNotAvailable)
