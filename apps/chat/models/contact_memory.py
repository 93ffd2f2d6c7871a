"""What the team knows about a contact beyond one conversation."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.chat.models.message import Message
from apps.vault.fields import EncryptedJSONField, EncryptedTextField
from apps.vault.models import Contact


class ContactMemory(TenantModel):
    """One fact about a contact. Text, tags and the vector by which it is recalled lie encrypted.

    Facts are deleted with the contact, and stay when the message that they came from is gone.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        REMEMBERED = "remembered", "Remembered"
        DISMISSED = "dismissed", "Dismissed"

    class Origin(models.TextChoices):
        HAND = "hand", "By hand"
        RULES = "rules", "Found in a conversation"
        MODEL = "model", "Proposed by a language model"

    contact: Any = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="memories", db_index=False)
    content = EncryptedTextField()
    importance = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1), MaxValueValidator(5)])
    tags = EncryptedJSONField(default=list, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REMEMBERED)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.HAND)
    source_message: Any = TenantForeignKey(
        Message, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    # {"model", "vector"}: made when it is first recalled, and anew for another model.
    embedding = EncryptedJSONField(null=True, blank=True)
    # Somebody had all of them made anew, and this one still is to be.
    is_due = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "contact memories"
        indexes = [
            models.Index(fields=["account", "contact", "state", "-id"], name="contact_memory_of_contact"),
            models.Index(fields=["account", "id"], condition=models.Q(is_due=True), name="contact_memory_due"),
        ]

    def __str__(self) -> str:
        # Never the content: this text reaches logs and the admin's history.
        return f"Memory {self.id}"
