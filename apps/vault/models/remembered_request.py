"""A request that was done under an idempotency key, and what was answered."""

from __future__ import annotations

from django.db import models

from apps.accounts.tenancy.models import TenantModel
from apps.vault.fields import EncryptedJSONField


class RememberedRequest(TenantModel):
    """One row per account and key, written in the transaction of the request's effect.

    Two requests with the same key meet at the unique index: the second waits for the first to end.
    """

    key = models.CharField(max_length=255)
    # {"fingerprint", "status", "headers", "body"}; the body is left out when it showed a secret.
    answer = EncryptedJSONField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="remembered_request_once")]
        indexes = [models.Index(fields=["created_at"], name="remembered_request_age")]

    def __str__(self) -> str:
        return f"Request {self.id}"
