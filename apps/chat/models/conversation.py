"""What a customer and the team say to each other about one matter."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.models import Membership
from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.chat.models.inbox import Inbox
from apps.chat.models.label import Label
from apps.vault.fields import EncryptedJSONField, EncryptedTextField
from apps.vault.models import Contact


class Conversation(TenantModel):
    """Subject, preview and attributes are encrypted; status, times and who is in charge are not (lists need them).

    A contact's conversations are deleted with the contact: what is erased is erased.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PENDING = "pending", "Pending"
        SNOOZED = "snoozed", "Snoozed"
        RESOLVED = "resolved", "Resolved"

    inbox: Any = TenantForeignKey(Inbox, on_delete=models.PROTECT, related_name="conversations", db_index=False)
    contact: Any = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="conversations", db_index=False)
    assignee: Any = TenantForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    subject = EncryptedTextField(blank=True, default="")
    # The beginning of the latest message that is no private note, for lists.
    preview = EncryptedTextField(blank=True, default="")
    custom_attributes = EncryptedJSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    # None while snoozed: until the customer writes.
    snoozed_until = models.DateTimeField(null=True, blank=True)
    labels: Any = models.ManyToManyField(Label, through="ConversationLabel", related_name="conversations")
    last_activity_at = models.DateTimeField()
    # The oldest message of the customer that nobody answered yet.
    waiting_since = models.DateTimeField(null=True, blank=True)
    # When somebody of the team last had it open: what came in later is unread.
    seen_at = models.DateTimeField(null=True, blank=True)
    last_incoming_at = models.DateTimeField(null=True, blank=True)
    first_reply_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["account", "-last_activity_at", "-id"], name="conversation_recent"),
            models.Index(fields=["account", "status", "-last_activity_at", "-id"], name="conversation_by_status"),
            models.Index(
                fields=["account", "assignee", "status", "-last_activity_at"], name="conversation_by_assignee"
            ),
            models.Index(fields=["account", "contact", "-last_activity_at"], name="conversation_by_contact"),
            models.Index(fields=["account", "inbox", "-last_activity_at"], name="conversation_by_inbox"),
            models.Index(
                fields=["snoozed_until"],
                name="conversation_asleep",
                condition=models.Q(snoozed_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        # Never the subject: this text reaches logs and the admin's history.
        return f"Conversation {self.id}"

    @property
    def is_unread(self) -> bool:
        """Whether the customer wrote since anybody of the team last looked."""
        return self.last_incoming_at is not None and (self.seen_at is None or self.seen_at < self.last_incoming_at)


class ConversationLabel(TenantModel):
    """One label on one conversation."""

    conversation: Any = TenantForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="labellings", db_index=False
    )
    label: Any = TenantForeignKey(Label, on_delete=models.CASCADE, related_name="labellings", db_index=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "conversation", "label"], name="conversation_label_once")
        ]
        indexes = [models.Index(fields=["account", "label", "conversation"], name="conversation_by_label")]

    def __str__(self) -> str:
        return f"Label {self.label_id} on {self.conversation_id}"
