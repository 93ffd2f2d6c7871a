"""Messages as the vault keeps them. The floors above make tables of these."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from apps.accounts.tenancy.models import TenantModel
from apps.vault.fields import BlindIndexField, EncryptedTextField


class SealedMessage(TenantModel):
    """A text that somebody said. The text lies encrypted; its fingerprint tells equal texts of one account."""

    content = EncryptedTextField()
    fingerprint = BlindIndexField(source="content", normalise="apps.vault.normalise.said")
    # When it was said, which is not always when it was stored.
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        abstract = True

    def __str__(self) -> str:
        # Never the content: this text reaches logs and the admin's history.
        return f"{self._meta.verbose_name} {self.id}"
