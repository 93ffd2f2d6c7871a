"""Wrapped keys. What lies here opens nothing without the master key."""

from __future__ import annotations

from django.db import models

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.models import TenantModel
from apps.vault.keys.account_keys import WrappedKeys


class _WrappedKeyset(models.Model):
    wrapped_aead = models.BinaryField()
    wrapped_daead = models.BinaryField()
    wrapped_index = models.BinaryField()
    master_key_uri = models.CharField(max_length=255, help_text="Which master key wrapped it: an address, no secret.")

    class Meta:
        abstract = True

    @property
    def wrapped(self) -> WrappedKeys:
        """The three keysets as the key code takes them."""
        return WrappedKeys(bytes(self.wrapped_aead), bytes(self.wrapped_daead), bytes(self.wrapped_index))

    def take(self, wrapped: WrappedKeys) -> None:
        """Put other wrapped keysets in place (not saved)."""
        self.wrapped_aead, self.wrapped_daead, self.wrapped_index = wrapped.aead, wrapped.daead, wrapped.index


class AccountKeyset(_WrappedKeyset, TenantModel):
    """The keys of one account. Deleting this row shreds the account's data, backups included."""

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account"], name="account_keyset_once")]

    def __str__(self) -> str:
        return f"Keys of {self.account_id}"


class PlatformKeyset(_WrappedKeyset):
    """The keys of the platform's own secrets: one row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    only = models.BooleanField(default=True, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="platform_keyset_one_row")]

    def __str__(self) -> str:
        return "Keys of the platform"
