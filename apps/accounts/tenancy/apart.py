"""Work beside the caller's transaction: on a connection of its own, committed whatever becomes of the caller.

A request is one transaction, and an outer one can't be committed in its middle. What must be kept although the request
fails later (a refreshed token, a reservation), or must not hold its locks until the request ends, is done here. Scopes
are not carried over: the function opens what it needs.

That connection is not one of the process's pool (``DATABASE_POOL``). Callers keep theirs while they wait, so as soon as
they held them all, each would wait for a connection that another of them holds.

The function must not wait for a row that the caller's own transaction holds: the database sees no knot there, and both
would wait for ever. The end of the audit trail is such a row: leave recording to the caller.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections, connection, connections

from apps.accounts.actors import RequestContext, in_request, request_context

T = TypeVar("T")

KEPT_FOR = 60
"""Seconds for which a thread keeps its connection for the next work."""
_inside = threading.local()


class Threads:
    """Threads for one kind of work, made anew after a fork, since threads do not survive one."""

    def __init__(self, name: str, most: int) -> None:
        self.name, self.most = name, most
        self._lock = threading.Lock()
        self._made: tuple[int, ThreadPoolExecutor] | None = None

    def executor(self) -> ThreadPoolExecutor:
        """The pool of this process."""
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = (os.getpid(), ThreadPoolExecutor(self.most, self.name, initializer=_leave_the_pool))
            return self._made[1]


def _leave_the_pool() -> None:
    """Let this thread connect by itself."""
    for own in connections.all():
        options = dict(own.settings_dict["OPTIONS"])
        if options.pop("pool", None):
            kept = {"OPTIONS": options, "CONN_MAX_AGE": KEPT_FOR, "CONN_HEALTH_CHECKS": True}
            own.settings_dict = own.settings_dict | kept


THREADS = Threads("apart", 16)


def apart(function: Callable[[], T], *, threads: Threads = THREADS) -> T:
    """What ``function`` returns or raises, called outside of the caller's transaction and scopes.

    Raises RuntimeError inside another ``apart`` on the same threads: it would wait for a thread while it holds one.
    """
    if threads.name in getattr(_inside, "names", ()):
        raise RuntimeError("apart() within apart(): do both in one.")
    if _in_test_case():
        return function()
    return threads.executor().submit(_run, function, request_context(), threads.name).result()


def _in_test_case() -> bool:
    """Whether a test's own transaction encloses all: what it made is seen on this connection alone.

    Django asks the same of ``atomic(durable=True)``.
    """
    return connection.in_atomic_block and connection.atomic_blocks[0]._from_testcase  # type: ignore[attr-defined]


def _run(function: Callable[[], T], request: RequestContext, name: str) -> T:
    close_old_connections()
    _inside.names = {name}
    try:
        with in_request(request):
            return function()
    finally:
        _inside.names = set()
        close_old_connections()
