"""The door for Celery tasks that do one short thing for one account.

Work that is long or talks to the outside is a job (``apps/accounts/jobs``), which opens its scopes itself.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import Task

from apps.accounts.tenancy.scope import tenant


class TenantTask(Task):
    """``@shared_task(base=TenantTask)``: the first argument is the account's id; the body runs in its scope."""

    abstract = True

    def __call__(self, account_id: str, *args: Any, **kwargs: Any) -> Any:
        with tenant(UUID(account_id)):
            return super().__call__(account_id, *args, **kwargs)
