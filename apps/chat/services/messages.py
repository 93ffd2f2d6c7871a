"""Saying something in a conversation."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.names import is_invisible
from apps.accounts.permissions import require
from apps.chat.models import Conversation, Message
from apps.chat.signals import conversation_changed, message_added
from apps.vault import contact_cache
from apps.vault.messages import store_content
from apps.vault.models import Contact

MOST_LETTERS = 20_000
PREVIEW_LETTERS = 160
_WAKING = {Conversation.Status.RESOLVED, Conversation.Status.SNOOZED}
Type = Message.Type


def receive_message(
    conversation: Conversation, content: str, *, actor: Actor, at: datetime | None = None, wakes: bool = True
) -> Message:
    """What the customer said. Opens a resolved or snoozed conversation again, unless it began with this.

    ``conversation`` should be locked, here and below. ``at``: when it was said, if that was not now.
    Raises PermissionDenied, ValidationError.
    """
    require(actor, "conversations.create")
    sender = (Message.Sender.CONTACT, conversation.contact_id, "")
    message = _add(conversation, Type.INCOMING, content, sender, at)
    conversation.last_incoming_at = message.created_at
    conversation.waiting_since = conversation.waiting_since or message.created_at
    if wakes and conversation.status in _WAKING:
        conversation.status, conversation.snoozed_until = Conversation.Status.OPEN, None
        conversation.resolved_at = None
    _touch(conversation, message)
    _note_contact(conversation, message.created_at)
    _tell(conversation, message, actor)
    return message


def send_reply(conversation: Conversation, content: str, *, actor: Actor, at: datetime | None = None) -> Message:
    """What the team answers. Raises PermissionDenied, ValidationError."""
    require(actor, "conversations.reply")
    message = _add(conversation, Type.OUTGOING, content, _sender(actor), at)
    conversation.first_reply_at = conversation.first_reply_at or message.created_at
    conversation.waiting_since = None
    conversation.seen_at = message.created_at
    _touch(conversation, message)
    _tell(conversation, message, actor)
    return message


def write_note(
    conversation: Conversation, content: str, *, actor: Actor, is_private: bool = False, at: datetime | None = None
) -> Message:
    """What only the team sees; a private note is kept from search and assistants too.

    Raises PermissionDenied, ValidationError.
    """
    require(actor, "conversations.reply")
    message = _add(conversation, Type.NOTE, content, _sender(actor), at, is_private=is_private)
    conversation.last_activity_at = message.created_at
    conversation.save(update_fields=["last_activity_at", "updated_at"])
    _tell(conversation, message, actor)
    return message


def clean_content(content: Any) -> str:
    """``content`` as it is stored: NFC, without blank ends. Raises ValidationError naming the field ``content``."""
    if not isinstance(content, str):
        raise ValidationError({"content": ValidationError("The message must be text.", code="not_text")})
    text = unicodedata.normalize("NFC", content).replace("\r\n", "\n").replace("\x00", "").strip()
    if is_invisible(text):
        raise ValidationError({"content": ValidationError("Write a message.", code="required")})
    if len(text) > MOST_LETTERS:
        words = f"Use at most {MOST_LETTERS:,} characters; this has {len(text):,}."
        raise ValidationError({"content": ValidationError(words, code="max_length")})
    return text


def _add(
    conversation: Conversation,
    kind: Message.Type,
    content: str,
    sender: tuple[str, UUID | None, str],
    at: datetime | None,
    *,
    is_private: bool = False,
) -> Message:
    sender_type, sender_id, sender_name = sender
    message = Message(
        conversation=conversation,
        message_type=kind,
        is_private=is_private,
        sender_type=sender_type,
        sender_id=sender_id,
        sender_name=sender_name[:200],
        created_at=at or timezone.now(),
    )
    store_content(message, clean_content(content), searchable=not is_private)
    return message


def _sender(actor: Actor) -> tuple[str, UUID | None, str]:
    if actor.kind == "api_key":
        return Message.Sender.API_KEY, actor.id, actor.label
    if actor.user_id is None:
        return Message.Sender.SYSTEM, None, actor.label
    user = User.objects.filter(pk=actor.user_id).first()
    return Message.Sender.MEMBER, actor.user_id, user.display_name if user else actor.label


def _touch(conversation: Conversation, message: Message) -> None:
    conversation.preview = " ".join(message.content.split())[:PREVIEW_LETTERS]
    conversation.last_activity_at = message.created_at
    conversation.save()


def _note_contact(conversation: Conversation, at: datetime) -> None:
    Contact.objects.filter(pk=conversation.contact_id, last_activity_at__lt=at).update(last_activity_at=at)
    contact = Contact(id=conversation.contact_id, account_id=conversation.account_id)
    transaction.on_commit(partial(contact_cache.forget, contact))


def _tell(conversation: Conversation, message: Message, actor: Actor) -> None:
    """The trail says that something was said and by whom, never what: the message itself is kept in one place."""
    # First those who follow: they lock rows of theirs, as others do who come to the trail, and each account has one.
    message_added.send(sender=Message, message=message, conversation=conversation, actor=actor)
    audit.record(f"message.{_SAID[Type(message.message_type)]}", actor=actor, entity=conversation)
    conversation_changed.send(sender=Conversation, conversation=conversation, fields=("messages",), actor=actor)


_SAID = {Type.INCOMING: "received", Type.OUTGOING: "sent", Type.NOTE: "noted"}
