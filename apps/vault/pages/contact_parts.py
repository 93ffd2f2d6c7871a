"""What the floors above add to a contact's page: each registers its own at start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from apps.accounts.permissions import allows, known
from apps.accounts.tenancy.middleware import actor_of


@dataclass(frozen=True)
class ContactPart:
    """A card in the left column, below the details, for who may do ``action``.

    ``read(request, contact_id)`` answers the template's context, found there as ``part``, or None to leave it out.
    """

    template: str
    action: str
    order: int
    read: Callable[[HttpRequest, UUID], dict[str, Any] | None]


_parts: list[ContactPart] = []


def register_contact_part(part: ContactPart) -> None:
    """Add a part. Raises UnknownAction for a misspelt action."""
    known(part.action)
    if part not in _parts:
        _parts.append(part)
        _parts.sort(key=lambda each: each.order)


def contact_parts(request: HttpRequest, contact_id: UUID) -> list[dict[str, Any]]:
    """The parts that the reader may see, as the template takes them."""
    return [
        {"template": part.template, "part": found}
        for part in _parts
        if allows(actor_of(request), part.action) and (found := part.read(request, contact_id)) is not None
    ]
