"""Asynchronous code, called from tests that are not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import async_to_sync
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


def synchronously(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """As asgiref's ``async_to_sync``, in a test process that has had a browser too.

    Playwright leaves its loop marked as running in the thread of the tests for as long as the browser lives, so the
    call is made from another thread, with this one's scope and database connection: the test's transaction is there.
    """

    @wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> T:
        ours = connections["default"]

        def there() -> T:
            connections["default"] = ours
            try:
                return async_to_sync(function)(*arguments, **options)
            finally:
                del connections["default"]

        ours.inc_thread_sharing()
        try:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(copy_context().run, there).result()
        finally:
            ours.dec_thread_sharing()

    return call
