"""What this floor adds to the export of a contact: what is remembered, and what was said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.chat.api.memories import show_memory
from apps.chat.api.shapes import show_conversation, show_message
from apps.chat.models import ContactMemory, Conversation, Message
from apps.chat.selectors import whole
from apps.vault.contact_export import ExportPart, register_export_part


def register() -> None:
    """Called once, at start-up."""
    register_export_part(ExportPart("memories", "memories.view", _memories))
    register_export_part(ExportPart("conversations", "conversations.view", _conversations))


def _memories(contact_id: UUID) -> list[dict[str, Any]]:
    """Also what was proposed or dismissed: it is kept."""
    return [show_memory(row) for row in ContactMemory.objects.filter(contact_id=contact_id).order_by("id")]


def _conversations(contact_id: UUID) -> list[dict[str, Any]]:
    rows = list(whole(Conversation.objects.filter(contact_id=contact_id)).order_by("id"))
    said: dict[UUID, list[dict[str, Any]]] = {row.id: [] for row in rows}
    messages = Message.objects.filter(conversation_id__in=said).prefetch_related("attachments").order_by("id")
    for message in messages:
        said[message.conversation_id].append(show_message(message))
    return [{**show_conversation(row), "messages": said[row.id]} for row in rows]
