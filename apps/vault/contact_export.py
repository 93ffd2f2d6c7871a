"""All that is kept about one contact, as one JSON document: for the person who asks, and for moving elsewhere.

Floors above add their part with ``register_export_part`` at start-up; who may not see a part gets the document
without it, and the document names what it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.permissions import allows, known, require
from apps.vault import selectors
from apps.vault.models import Contact


@dataclass(frozen=True)
class ExportPart:
    """``read(contact_id)`` answers, in the account's scope, the rows of ``name`` for who may do ``action``."""

    name: str
    action: str
    read: Callable[[UUID], list[dict[str, Any]]]


_parts: dict[str, ExportPart] = {}


def register_export_part(part: ExportPart) -> None:
    """Add a part. Raises UnknownAction for a misspelt action, ValueError on two different ones of one name."""
    known(part.action)
    if _parts.setdefault(part.name, part) != part:
        raise ValueError(f"Two parts of an export are called {part.name}.")


def part_names() -> list[str]:
    """What parts there are, beside the contact itself."""
    return list(_parts)


def export_contact(contact_id: UUID, *, actor: Actor) -> dict[str, Any]:
    """The document: ``exported_at``, ``contact``, and each part's rows. That it was taken stands in the trail.

    Raises PermissionDenied, Contact.DoesNotExist.
    """
    require(actor, "contacts.view")
    row = dict(zip(selectors.COLUMNS, selectors.contact(contact_id), strict=True))
    parts = {part.name: part.read(contact_id) for part in _parts.values() if allows(actor, part.action)}
    label = row["name"] or row["email"] or row["phone"] or row["identifier"] or ""
    counts = {name: len(rows) for name, rows in parts.items()}
    entity = Contact(id=contact_id)
    audit.record("contact.exported", actor=actor, entity=entity, label=label, changes=counts)
    row["custom_attributes"] = row["custom_attributes"] or {}
    return {"exported_at": timezone.now(), "contact": row, **parts}
