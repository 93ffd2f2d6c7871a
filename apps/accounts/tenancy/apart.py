"""Work beside the caller's transaction: on a connection of its own, committed whatever becomes of the caller.

A request is one transaction, and an outer one can't be committed in its middle. What must be kept although the request
fails later (a refreshed token, a reservation), or must not hold its locks until the request ends, is done here. Scopes
are not carried over: the function opens what it needs.

The function must not wait for a row that the caller's own transaction holds: the database sees no knot there, and both
would wait for ever. The end of the audit trail is such a row: leave recording to the caller.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

from apps.accounts.actors import RequestContext, in_request, request_context

T = TypeVar("T")

_THREADS = 16
_inside = threading.local()


class _Pool:
    """Threads made anew after a fork, since threads do not survive one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[int, ThreadPoolExecutor] | None = None

    def executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = (os.getpid(), ThreadPoolExecutor(_THREADS, thread_name_prefix="apart"))
            return self._made[1]


_pool = _Pool()


def apart(function: Callable[[], T]) -> T:
    """What ``function`` returns or raises, called outside of the caller's transaction and scopes.

    Raises RuntimeError inside another ``apart``: it would wait for a thread while it holds one.
    """
    if getattr(_inside, "yes", False):
        raise RuntimeError("apart() within apart(): do both in one.")
    return _pool.executor().submit(_run, function, request_context()).result()


def _run(function: Callable[[], T], request: RequestContext) -> T:
    close_old_connections()
    _inside.yes = True
    try:
        with in_request(request):
            return function()
    finally:
        _inside.yes = False
