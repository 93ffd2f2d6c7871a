"""Read queries of this floor: conversations and messages as pages and the API show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Prefetch, Q, QuerySet

from apps.accounts.keyset import Page, Position, newest_first
from apps.chat.models import CannedResponse, Conversation, ConversationLabel, Message

ORDER = ("last_activity_at", "id")
NOBODY = "none"
"""What stands for "no assignee" in filters."""


@dataclass(frozen=True)
class ConversationFilter:
    """Which conversations; several conditions narrow. Times are of the last activity, ``until`` exclusive."""

    inbox: UUID | None = None
    statuses: tuple[str, ...] = ()
    contact: UUID | None = None
    assignee: UUID | str | None = None
    label: str = ""
    unread: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    def apply(self, conversations: Any, prefix: str = "") -> Any:
        """``conversations`` narrowed; ``prefix`` when they are reached from another table ("conversation__")."""
        return conversations.filter(self.condition(prefix))

    def condition(self, prefix: str = "") -> Q:
        """The same as a condition."""
        found = Q()
        for name, value in (("inbox", self.inbox), ("contact", self.contact)):
            if value is not None:
                found &= Q(**{f"{prefix}{name}_id": value})
        if self.statuses:
            found &= Q(**{f"{prefix}status__in": self.statuses})
        if self.assignee == NOBODY:
            found &= Q(**{f"{prefix}assignee_id__isnull": True})
        elif self.assignee is not None:
            found &= Q(**{f"{prefix}assignee_id": self.assignee})
        if self.label:
            labelled = ConversationLabel.objects.filter(label__name__iexact=self.label).values("conversation_id")
            found &= Q(**{f"{prefix}{'id' if not prefix else 'pk'}__in": labelled})
        if self.since is not None:
            found &= Q(**{f"{prefix}last_activity_at__gte": self.since})
        if self.until is not None:
            found &= Q(**{f"{prefix}last_activity_at__lt": self.until})
        if self.unread is not None:
            newer = Q(**{f"{prefix}last_incoming_at__gt": F(f"{prefix}seen_at")})
            never = Q(**{f"{prefix}seen_at__isnull": True, f"{prefix}last_incoming_at__isnull": False})
            found &= (newer | never) if self.unread else ~(newer | never)
        return found


def whole(conversations: Any) -> Any:
    """``conversations`` with all that is shown of them, in a bounded number of queries."""
    labellings = ConversationLabel.objects.select_related("label").order_by("label__name")
    return conversations.select_related("inbox", "contact", "assignee__user").prefetch_related(
        Prefetch("labellings", queryset=labellings)
    )


def conversations_by_recency(wanted: ConversationFilter, position: Position | None, limit: int) -> Page[Conversation]:
    """Conversations with the latest activity first. A position's key is ``(last_activity_at, id)``."""
    rows = whole(wanted.apply(Conversation.objects.all()))
    return newest_first(rows, ORDER, position, limit, lambda row: (row.last_activity_at, row.id))


def conversation(conversation_id: UUID) -> Conversation:
    """One conversation with all that is shown of it. Raises Conversation.DoesNotExist."""
    found: Conversation = whole(Conversation.objects.all()).get(pk=conversation_id)
    return found


def messages_of(conversation_id: UUID, position: Position | None, limit: int) -> Page[Message]:
    """What was said, the latest first. A position's key is ``(id,)``."""
    rows = Message.objects.filter(conversation_id=conversation_id).prefetch_related("attachments")
    return newest_first(rows, ("id",), position, limit, lambda row: (row.id,))


def canned_responses(text: str = "", *, short_code: str = "") -> QuerySet[CannedResponse]:
    """Those with ``text`` in the short code or in the content, and with that short code; any case.

    Contents are encrypted, so all are read; an account has some hundreds at most.
    """
    found = CannedResponse.objects.all()
    if short_code:
        found = found.filter(short_code=short_code)
    if part := text.strip().casefold():
        found = found.filter(
            pk__in=[row.pk for row in found if part in row.short_code or part in row.content.casefold()]
        )
    return found
