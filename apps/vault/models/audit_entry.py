"""The audit trail's rows. ``apps/vault/audit`` writes, reads and proves them."""

from __future__ import annotations

from uuid import UUID

from django.db import models

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.models import TenantModel
from apps.vault.fields import EncryptedJSONField
from apps.vault.keys.account_keys import PLATFORM_OWNER


class _Entry(models.Model):
    """One entry. ``hash`` is a MAC over everything else in it and over ``previous_hash``."""

    seq = models.PositiveBigIntegerField(help_text="1, 2, 3 … without a gap in each trail.")
    at = models.DateTimeField()
    action = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True)
    entity_type = models.CharField(max_length=60, blank=True)
    entity_id = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    # {"actor", "entity", "changes", "ip", "user_agent"}
    payload = EncryptedJSONField()
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class _Head(models.Model):
    """Where a trail ends. Its row lock puts concurrent writers of one trail in line."""

    seq = models.PositiveBigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    class Meta:
        abstract = True


class AuditEntry(_Entry, TenantModel):
    """An entry in an account's trail. The database refuses UPDATE, DELETE and TRUNCATE."""

    updated_at = None  # type: ignore[assignment]
    created_at = None  # type: ignore[assignment]

    class Meta(TenantModel.Meta):
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["account", "seq"], name="audit_entry_in_line")]
        indexes = [
            models.Index(fields=["account", "entity_type", "entity_id", "-seq"], name="audit_by_entity"),
            models.Index(fields=["account", "actor_id", "-seq"], name="audit_by_actor"),
            models.Index(fields=["account", "action", "-seq"], name="audit_by_action"),
            models.Index(fields=["account", "-at"], name="audit_by_time"),
        ]


class AuditHead(_Head, TenantModel):
    """The end of an account's trail."""

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account"], name="audit_head_once")]

    def __str__(self) -> str:
        return f"Trail of {self.account_id} at {self.seq}"


class PlatformAuditEntry(_Entry):
    """An entry in the operator's own trail: sign-ins without an account, staff work. Platform role only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        verbose_name_plural = "platform audit entries"
        constraints = [models.UniqueConstraint(fields=["seq"], name="platform_audit_in_line")]

    @property
    def account_id(self) -> UUID:
        """In whose name the payload is encrypted."""
        return PLATFORM_OWNER


class PlatformAuditHead(_Head):
    """The end of the operator's trail: one row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="platform_audit_head_one_row")]

    def __str__(self) -> str:
        return f"Platform's trail at {self.seq}"
