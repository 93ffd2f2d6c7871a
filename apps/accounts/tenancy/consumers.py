"""The door for WebSocket consumers and async views: one call to the database is one scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from apps.accounts.tenancy.scope import tenant


async def in_account(account_id: UUID, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run ``function`` in a thread, in the scope of the account, and return its answer."""

    def call() -> Any:
        close_old_connections()
        try:
            with tenant(account_id):
                return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(call, thread_sensitive=True)()
