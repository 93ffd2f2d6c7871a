"""Lists of contacts being taken in, and the rows that could not be."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.models import Job
from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.vault.fields import EncryptedJSONField, EncryptedTextField


class ContactImport(TenantModel):
    """One file on its way into the contacts. What it is called and what its columns say lies encrypted.

    ``rows_done`` is where a killed import goes on: it moves in the transaction that writes the rows.
    Always ``added + merged + unchanged + rejected == rows_done``.
    """

    class Duplicates(models.TextChoices):
        MERGE = "merge", "Merge into the contact"
        REPORT = "report", "Report, change nothing"

    file_name = EncryptedTextField()
    file_bytes = models.PositiveBigIntegerField()
    # The stored file; None once it is destroyed.
    upload_id = models.UUIDField(null=True)
    # How the file is read (contact_import.reading.Format as JSON).
    format = EncryptedJSONField()
    # {column: field}
    mapping = EncryptedJSONField()
    duplicates = models.CharField(max_length=10, choices=Duplicates.choices, default=Duplicates.MERGE)
    default_region = models.CharField(max_length=2, blank=True)
    # Who started it and from where: {"kind", "id", "label", "role", "user_id", "request_id", "ip", "user_agent"}.
    started_by = EncryptedJSONField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    merged = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    job: Any = TenantForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["account", "-created_at"], name="contact_import_newest")]

    def __str__(self) -> str:
        return f"Contact import {self.id}"

    @property
    def counts(self) -> dict[str, int]:
        """The figures of the result, as the job and the API give them."""
        return {
            "rows": self.rows_total,
            "added": self.added,
            "merged": self.merged,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
        }


class RejectedRows(TenantModel):
    """The rejected rows of one chunk of an import, written in the chunk's own transaction."""

    contact_import: Any = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="rejected_rows")
    first_row = models.PositiveIntegerField()
    # [[row, [cell, …], reason], …] in the order of the file
    rows = EncryptedJSONField()

    class Meta(TenantModel.Meta):
        verbose_name_plural = "rejected rows"
        indexes = [models.Index(fields=["account", "contact_import", "first_row"], name="rejected_rows_of_import")]

    def __str__(self) -> str:
        return f"Rejected rows of import {self.contact_import_id}"
