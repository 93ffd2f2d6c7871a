"""What this floor puts into the side bar, the palette and the dashboard."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from apps.accounts.pages.door import may
from apps.accounts.pages.registry import Command, Panel, Section, Stat, register
from apps.chat.models import Conversation
from apps.chat.pages import contact_memories, index_panel, word_search
from apps.chat.pages.inbox_filters import member_of
from apps.chat.selectors import ConversationFilter, conversations_by_recency, whole
from apps.vault.pages.contact_parts import ContactPart, register_contact_part

SHOWN, SHOWN_OF_CONTACT = 5, 10
_OPEN = (Conversation.Status.OPEN.value,)


def register_all() -> None:
    """Called once, at start-up."""
    register(
        Section(
            "", "inbox", "inbox", "Inbox", "conversations.view", 15, tab="Inbox", family="inbox", count=unread_of_mine
        ),
        Command("inbox_new", "message-plus", "Begin a conversation", "conversations.create"),
        Command("inbox_search", "search", "Search conversations", "conversations.view"),
        Command("inbox_canned", "message-bolt", "Canned responses", "canned_responses.view"),
        Command("inbox_labels", "tag", "Labels of conversations", "labels.view"),
        Command("inbox_inboxes", "inbox", "Inboxes", "inboxes.manage"),
        Stat("Open conversations", "conversations.view", 15, _open),
        Panel("chat/dashboard/waiting.html", "conversations.view", 15, _waiting),
        Panel("chat/ai/index.html", "project.view", 10, index_panel.read, place="ai"),
        Panel("chat/ai/words.html", "account.view", 20, word_search.read, place="ai-always"),
    )
    register_contact_part(ContactPart("chat/contact_conversations.html", "conversations.view", 10, _of_contact))
    register_contact_part(ContactPart("chat/memory/contact.html", "memories.view", 20, contact_memories.read))


def unread_of_mine(request: HttpRequest) -> int:
    """How many conversations in the reader's hands hold something that nobody read."""
    wanted = ConversationFilter(assignee=member_of(request).id, unread=True)
    found: int = wanted.apply(Conversation.objects.exclude(status=Conversation.Status.RESOLVED)).count()
    return found


def _open(request: HttpRequest) -> tuple[str, str]:
    found = ConversationFilter(statuses=_OPEN).apply(Conversation.objects.all())
    waiting = found.filter(waiting_since__isnull=False).count()
    return f"{found.count():,}", f"{waiting:,} wait for an answer" if waiting else "all answered"


def _waiting(request: HttpRequest) -> dict[str, Any] | None:
    """Who waits for an answer, the longest first; the part is left out while there are no conversations at all."""
    rows = ConversationFilter(statuses=_OPEN).apply(Conversation.objects.filter(waiting_since__isnull=False))
    waiting = list(whole(rows).order_by("waiting_since")[:SHOWN])
    if not waiting and not Conversation.objects.exists():
        return None
    return {"conversations": waiting, "more": rows.count() - len(waiting)}


def _of_contact(request: HttpRequest, contact_id: UUID) -> dict[str, Any]:
    """The latest conversations with one contact."""
    wanted = ConversationFilter(contact=contact_id)
    page = conversations_by_recency(wanted, None, SHOWN_OF_CONTACT)
    return {
        "contact_id": contact_id,
        "conversations": page.rows,
        "all": wanted.apply(Conversation.objects.all()).count(),
        "may_create": may(request, "conversations.create"),
    }
