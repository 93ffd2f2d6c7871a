"""Files that came with a message."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.chat.models.message import Message
from apps.vault.fields import EncryptedTextField


class Attachment(TenantModel):
    """A file of a message. Its name lies encrypted here, its bytes encrypted on disk (``apps/vault/uploads.py``)."""

    message: Any = TenantForeignKey(Message, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    file_name = EncryptedTextField()
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes of plaintext.")
    upload_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["account", "message"], name="attachment_by_message")]

    def __str__(self) -> str:
        return f"Attachment {self.id}"
