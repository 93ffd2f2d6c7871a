"""What goes into the index and out of it, noted in the transaction that causes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models.signals import pre_delete
from django.utils import timezone

from apps.chat.indexing.generations import INDEXED_TYPES, begin, living, note_messages
from apps.chat.models import Conversation, IndexedMessage, Message
from apps.chat.signals import message_added
from apps.integrations.models import AINativeProject

DEBOUNCE = timedelta(seconds=2)
"""How long a change waits for more of its kind, so that a lively conversation is indexed in one go."""


def is_wanted() -> bool:
    """Whether the account in scope wants its conversations indexed."""
    settings = AINativeProject.objects.values_list("settings", flat=True).first()
    if settings is None:
        return False
    return bool(settings.get("auto_indexing", True)) and bool(settings.get("features", {}).get("semantic_search", True))


def note_message(sender: Any, message: Message, **_: Any) -> None:
    """A message was added."""
    if message.is_private or message.message_type not in INDEXED_TYPES or not is_wanted():
        return
    note([(message.id, message.conversation_id)])


def note(messages: list[tuple[UUID, UUID]]) -> None:
    """Put ``(message, conversation)`` ids in line for all generations that are kept up to date."""
    note_messages(living() or [begin()], list(messages), due_at=timezone.now() + DEBOUNCE)


def note_removal(sender: Any, instance: Conversation, **_: Any) -> None:
    """A conversation is being deleted, by itself or with its contact: its vectors have to go."""
    IndexedMessage.objects.filter(conversation_id=instance.pk).update(
        state=IndexedMessage.State.REMOVING, due_at=timezone.now()
    )


def connect() -> None:
    """Called once, at start-up."""
    message_added.connect(note_message, sender=Message, dispatch_uid="chat.index_message")
    pre_delete.connect(note_removal, sender=Conversation, dispatch_uid="chat.unindex_conversation")
