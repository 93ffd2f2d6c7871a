"""One thing that was said."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.tenancy.models import TenantForeignKey
from apps.chat.models.conversation import Conversation
from apps.vault.messages.models import SealedMessage, SearchWord


class Message(SealedMessage):
    """What was said lies encrypted; who said it, when and as what does not."""

    class Type(models.TextChoices):
        INCOMING = "incoming", "From the customer"
        OUTGOING = "outgoing", "From the team"
        NOTE = "note", "Note"
        ACTIVITY = "activity", "What happened"

    class Sender(models.TextChoices):
        CONTACT = "contact", "Contact"
        MEMBER = "member", "Member"
        ASSISTANT = "assistant", "Assistant"
        API_KEY = "api_key", "API key"
        SYSTEM = "system", "Strongroom"

    conversation: Any = TenantForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    message_type = models.CharField(max_length=10, choices=Type.choices)
    # A note that is kept from search, from the index and from assistants.
    is_private = models.BooleanField(default=False)
    sender_type = models.CharField(max_length=10, choices=Sender.choices)
    # The user, contact or key. No reference: what was said stays when they leave.
    sender_id = models.UUIDField(null=True)
    # What a member or key was called then; a contact's name is read from the contact.
    sender_name = models.CharField(max_length=200, blank=True)

    class Meta(SealedMessage.Meta):
        indexes = [models.Index(fields=["account", "conversation", "id"], name="message_of_conversation")]

    def __str__(self) -> str:
        # Never the content: this text reaches logs and the admin's history.
        return f"Message {self.id}"


class MessageWord(SearchWord):
    """A word that a message is found by."""

    of = Message
