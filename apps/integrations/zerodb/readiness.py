"""Whether an account's AI project can be used: what the features that live in it need."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.accounts.features import Need, forget_account
from apps.integrations.models import AINativeProject


def is_ready(account_id: UUID) -> bool:
    """Whether the account has its project (in the account's scope)."""
    return AINativeProject.objects.filter(AINativeProject.ready(), account_id=account_id).exists()


def project_saved(instance: AINativeProject, **_: Any) -> None:
    """The project may have become ready, or no longer be it (receiver of its post_save)."""
    if instance.account_id is not None:
        forget_account(instance.account_id)


NEEDS_PROJECT = Need("needs_project", "needs the AI project, which is not ready", is_ready)
