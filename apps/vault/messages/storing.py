"""Putting what was said into the vault, and reading a page of it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from apps.accounts.tenancy.scope import NoScope, current_account_id
from apps.vault.fields import open_columns
from apps.vault.messages.models import SealedMessage


def store_content(message: SealedMessage, text: str, *, searchable: bool = True) -> None:
    """Store a new ``message`` with ``text``. One that is not ``searchable`` is not found by its words."""
    message.content = text
    message.save(force_insert=True)


def load_contents(model: type[SealedMessage], ids: Iterable[UUID]) -> dict[UUID, str]:
    """The texts of these messages by id, in one query. Ids of no message of the account are left out."""
    account_id = current_account_id()
    if account_id is None:
        raise NoScope("Messages belong to one account: read inside tenant(account).")
    rows = list(model.objects.filter(pk__in=list(ids)).values_list("id", "content"))  # type: ignore[attr-defined]
    return dict(open_columns(model, account_id, rows, {1: "content"}))  # type: ignore[arg-type]
