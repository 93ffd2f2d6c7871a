"""The panel beside a conversation: who the contact is, and what other modules know of the conversation.

Another module adds its part at start-up (``AppConfig.ready``):

    register_part(Part("chat/memory/panel.html", "contacts.view", 20, read))

``read(request, conversation)`` answers the template's context, found there as ``part``, or None to leave the part out.
It runs while the page is made: what takes longer than a few milliseconds belongs into a piece that the template
loads by htmx (``hx-get="…" hx-trigger="load"``). Parts with an order below 50 stand above the contact, others below it.
A part is a ``<section class="sr-part">`` with an ``h2 class="h3"``. A button with ``data-insert="text"`` puts its text
into the composer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from apps.accounts.permissions import allows, known
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.models import Conversation
from apps.chat.pages.inbox_filters import Wanted, conversation_url
from apps.chat.selectors import ConversationFilter, conversations_by_recency

OTHERS = 5
CONTACT_ORDER = 50


@dataclass(frozen=True)
class Part:
    """A part of the panel, shown to who may do ``action``."""

    template: str
    action: str
    order: int
    read: Callable[[HttpRequest, Conversation], dict[str, Any] | None]


_parts: list[Part] = []


def register_part(part: Part) -> None:
    """Add a part. Raises UnknownAction for a misspelt action."""
    known(part.action)
    if part not in _parts:
        _parts.append(part)
        _parts.sort(key=lambda each: each.order)


def panel_context(request: HttpRequest, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
    """What ``chat/inbox/panel.html`` needs."""
    page = conversations_by_recency(ConversationFilter(contact=conversation.contact_id), None, OTHERS + 1)
    others = [row for row in page.rows if row.id != conversation.id][:OTHERS]
    found = [
        (part.order, {"template": part.template, "part": read})
        for part in _parts
        if allows(actor_of(request), part.action) and (read := part.read(request, conversation)) is not None
    ]
    return {
        "others": [{"is": row, "url": conversation_url(request, row.id, wanted)} for row in others],
        "conversations_of_contact": Conversation.objects.filter(contact_id=conversation.contact_id).count(),
        "attributes": sorted((conversation.contact.custom_attributes or {}).items())[:12],
        **facts_context(conversation),
        "parts_above": [part for order, part in found if order < CONTACT_ORDER],
        "parts_below": [part for order, part in found if order >= CONTACT_ORDER],
    }


def facts_context(conversation: Conversation) -> dict[str, Any]:
    """What ``chat/inbox/facts.html`` needs beside the conversation."""
    return {"own_attributes": sorted((conversation.custom_attributes or {}).items())[:12]}
