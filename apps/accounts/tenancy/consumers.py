"""The door for WebSocket consumers and async views: one call to the database is one scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from apps.accounts.tenancy.scope import tenant

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``function``, which opens its own scopes, in the thread that keeps this loop's database connection."""

    def call() -> T:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(call, thread_sensitive=True)()


async def in_account(account_id: UUID, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run ``function`` in a thread, in the scope of the account, and return its answer."""

    def call() -> Any:
        with tenant(account_id):
            return function(*args, **kwargs)

    return await in_thread(call)


class AccountScope:
    """Mixin of consumers: ``account_id`` is set at their door, and the database is asked through ``in_scope`` alone.

    No scope stays open while a socket waits: a transaction per socket would hold a connection each.
    """

    account_id: UUID | None = None

    async def in_scope(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """``function`` in the scope of the socket's account. Raises RuntimeError before anybody was let in."""
        if self.account_id is None:
            raise RuntimeError("Nobody has been let in: there is no account to ask about.")
        return await in_account(self.account_id, function, *args, **kwargs)
