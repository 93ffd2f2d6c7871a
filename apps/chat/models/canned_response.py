"""Answers that the team keeps ready."""

from __future__ import annotations

from django.db import models

from apps.accounts.tenancy.models import TenantModel
from apps.vault.fields import EncryptedTextField


class CannedResponse(TenantModel):
    """A text that ``/short_code`` puts into a reply. It lies encrypted; the code does not: lists are ordered by it."""

    short_code = models.CharField(max_length=50)
    content = EncryptedTextField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "short_code"], name="canned_response_code_once")]

    def __str__(self) -> str:
        return f"/{self.short_code}"
