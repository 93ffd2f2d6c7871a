"""Single contacts in the cache server, as the ciphertext that the database holds.

A reader that has read the old row must not put it back after a writer has removed it. So a writer leaves a
mark, before it commits and after, and readers only ever *add*: while the mark lies there they read the database.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.cache import cache

from apps.vault.models import Contact

SECONDS = 900
_CHANGING = "changing"
_MARK_SECONDS = 60
"""Longer than any transaction that writes a contact, so that one that dies after its commit leaves nothing stale."""

Row = tuple[Any, ...]


def _name(account_id: UUID, contact_id: UUID) -> str:
    return f"contact:{account_id}:{contact_id}"


def get(account_id: UUID, contact_id: UUID) -> Row | None:
    """The row as ``values_list`` gave it, sealed; None when it is not here."""
    found: Row | str | None = cache.get(_name(account_id, contact_id))
    return found if isinstance(found, tuple) else None


def add(account_id: UUID, contact_id: UUID, row: Row) -> None:
    """Keep a row that was just read, unless it is being changed."""
    cache.add(_name(account_id, contact_id), row, SECONDS)


def forget(contact: Contact) -> None:
    """Nobody may take this contact from here until it has been read afresh."""
    assert contact.account_id is not None
    cache.set(_name(contact.account_id, contact.id), _CHANGING, _MARK_SECONDS)


def forget_all(account_id: UUID, contact_ids: list[UUID]) -> None:
    """``forget`` for many contacts at once."""
    cache.set_many({_name(account_id, contact_id): _CHANGING for contact_id in contact_ids}, _MARK_SECONDS)
