"""A grant that an outside service gave to an account: access token, refresh token, how long they last."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.tenancy.models import TenantModel
from apps.vault.fields import EncryptedJSONField


class Token(TenantModel):
    """One grant per account and kind. ``apps/vault/tokens`` is the only place that changes it."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        BACKOFF = "backoff", "Waiting"
        REAUTH_REQUIRED = "reauth_required", "Sign in again"

    kind = models.CharField(max_length=100)
    pair = EncryptedJSONField()
    # The pair before, until the service has taken the new one once.
    pair_before = EncryptedJSONField(null=True)
    generation = models.PositiveIntegerField(default=1)
    scopes = models.JSONField(default=list)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    refusals = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    # When the trail was told that somebody has to sign in again.
    loss_told_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "kind"], name="token_one_per_kind")]

    def __str__(self) -> str:
        return f"Token {self.kind} of {self.account_id}"

    def take(self, pair: dict[str, Any]) -> None:
        """Put a new pair in place and keep the one it replaces (not saved)."""
        self.pair_before, self.pair = self.pair, pair
        self.generation += 1
