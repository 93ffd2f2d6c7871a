"""Conversations and messages as outsiders read them (interface.md)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.api.serializers import Input, PassedOn, Text, Time
from apps.chat.models import Conversation, Message
from apps.chat.services.attachments import MOST_FILES
from apps.chat.services.conversations import MOST_SUBJECT_LETTERS
from apps.chat.services.messages import MOST_LETTERS

_REFERENCE = {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}, "name": {"type": "string"}}}


class ConversationSerializer(Input):
    """What a customer and the team say to each other about one matter.

    ``contact``, ``inbox`` and ``assignee`` (a member's id) are sent as ids and come back as ``{id, name}``.
    """

    id = serializers.UUIDField(read_only=True)
    subject = Text(required=False, allow_blank=True, max_length=MOST_SUBJECT_LETTERS)
    contact = PassedOn(schema=_REFERENCE, help_text="The id of the contact. Set when the conversation begins.")
    inbox = PassedOn(schema=_REFERENCE, help_text="The id of an inbox. Set when the conversation begins.")
    assignee = PassedOn(schema=_REFERENCE, help_text="The id of a member, null for nobody.")
    status = serializers.ChoiceField(choices=Conversation.Status.choices, required=False)
    snoozed_until = Time(
        required=False, allow_null=True, help_text="Of a snoozed one; null: until the customer writes."
    )
    labels = serializers.ListField(
        child=Text(max_length=50),
        required=False,
        max_length=50,
        help_text="Names. One that is new is made, by who may manage labels.",
    )
    custom_attributes = PassedOn(schema={"type": "object", "additionalProperties": {}})
    message = Text(
        write_only=True,
        required=False,
        max_length=MOST_LETTERS,
        help_text="What the customer said first, when it begins.",
    )
    preview = serializers.CharField(read_only=True)
    unread = serializers.BooleanField(read_only=True)
    waiting_since = Time(read_only=True, allow_null=True)
    last_activity_at = Time(read_only=True)
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


class AttachmentSerializer(Input):
    """A file of a message."""

    id = serializers.UUIDField(read_only=True)
    file_name = serializers.CharField(read_only=True)
    content_type = serializers.CharField(read_only=True)
    size = serializers.IntegerField(read_only=True)


class MessageSerializer(Input):
    """One thing that was said."""

    id = serializers.UUIDField(read_only=True)
    message_type = serializers.ChoiceField(
        choices=[kind for kind in Message.Type.choices if kind[0] != Message.Type.ACTIVITY], required=False
    )
    content = Text(max_length=MOST_LETTERS)
    private = serializers.BooleanField(
        required=False, help_text="Of a note: kept from search and assistants, too. Others can't be private."
    )
    sender = PassedOn(schema=_REFERENCE)
    attachments = AttachmentSerializer(many=True, read_only=True)
    created_at = Time(read_only=True)


class MessageFormSerializer(MessageSerializer):
    """One thing that was said, as a form with files."""

    content = Text(max_length=MOST_LETTERS, required=False, allow_blank=True)
    attachments = serializers.ListField(  # type: ignore[assignment] # sent as files, answered as what they became
        child=serializers.FileField(allow_empty_file=True), required=False, max_length=MOST_FILES
    )


def show_conversation(conversation: Conversation) -> dict[str, Any]:
    """A conversation from ``selectors.whole``."""
    assignee = conversation.assignee
    return {
        "id": conversation.id,
        "subject": conversation.subject,
        "contact": {"id": conversation.contact_id, "name": conversation.contact.name},
        "inbox": {"id": conversation.inbox_id, "name": conversation.inbox.name},
        "assignee": {"id": assignee.id, "name": assignee.user.display_name} if assignee else None,
        "status": conversation.status,
        "snoozed_until": conversation.snoozed_until,
        "labels": [row.label.name for row in conversation.labellings.all()],
        "custom_attributes": conversation.custom_attributes or {},
        "preview": conversation.preview,
        "unread": conversation.is_unread,
        "waiting_since": conversation.waiting_since,
        "last_activity_at": conversation.last_activity_at,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
    }


def show_message(message: Message) -> dict[str, Any]:
    """A message with its attachments."""
    return {
        "id": message.id,
        "message_type": message.message_type,
        "content": message.content,
        "private": message.is_private,
        "sender": {"type": message.sender_type, "id": message.sender_id, "name": message.sender_name or None},
        "attachments": [
            {"id": file.id, "file_name": file.file_name, "content_type": file.content_type, "size": file.size}
            for file in message.attachments.all()
        ],
        "created_at": message.created_at,
    }
