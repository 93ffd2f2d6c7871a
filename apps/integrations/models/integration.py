"""A connection of an account to an outside service."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from apps.accounts.tenancy.models import TenantModel
from apps.integrations.providers import CATEGORIES, Provider, provider
from apps.integrations.providers.registry import UnknownProvider
from apps.vault.fields import EncryptedJSONField

MASK = "••••••••"
SHOWN = 4
"""How many of a secret's last characters are shown; none of one that is shorter than four times that."""


class Integration(TenantModel):
    """One connection. Several of one provider are told apart by ``name``; the one without a name is the default."""

    class Status(models.TextChoices):
        CONNECTED = "connected", "Connected"
        ERROR = "error", "Failing"
        DISABLED = "disabled", "Disabled"
        NOT_CONFIGURED = "not_configured", "Not connected"
        EXPIRED = "expired", "Expired"
        REAUTH_REQUIRED = "reauth_required", "Sign in again"
        BACKOFF = "backoff", "Waiting"

    category = models.CharField(max_length=40, choices=[(entry.name, entry.label) for entry in CATEGORIES.values()])
    provider = models.CharField(max_length=40)
    name = models.CharField(max_length=100, blank=True)
    credentials = EncryptedJSONField(default=dict)
    settings = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    # What calls and tests last found, kept while the connection is disabled.
    condition = models.CharField(max_length=16, choices=Status.choices, default=Status.CONNECTED, editable=False)
    identity = models.CharField(max_length=200, blank=True, editable=False)
    last_tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error_message = models.TextField(blank=True, editable=False)
    last_error_todo = models.TextField(blank=True, editable=False)
    created_by_id = models.UUIDField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "category", "provider", "name"], name="integration_one_per_provider_and_name"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "enabled"], name="integration_enabled"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def definition(self) -> Provider:
        """What the provider declares. Raises UnknownProvider when its folder is gone."""
        return provider(self.provider, self.category)

    @property
    def label(self) -> str:
        """What people call it."""
        try:
            service = self.definition.label
        except UnknownProvider:
            service = self.provider
        return f"{service} ({self.name})" if self.name else service

    @property
    def status(self) -> str:
        """What a page shows: ``condition``, unless it is switched off."""
        return str(self.condition) if self.enabled else str(self.Status.DISABLED)

    def credential(self, name: str) -> str:
        """One part of the credential, "" when there is none."""
        return str((self.credentials or {}).get(name, ""))

    def setting(self, name: str) -> Any:
        """One setting, or its default."""
        return self.settings.get(name, self.definition.defaults.get(name))

    @property
    def masked_credentials(self) -> dict[str, str]:
        """The credential as it may be shown: what is set, and of secrets the end only."""
        fields = {entry.name: entry for entry in self.definition.credentials}
        return {
            name: masked(value) if name not in fields or fields[name].secret else value
            for name, value in (self.credentials or {}).items()
        }

    def note_used(self) -> None:
        """Put the time of a use in place (not saved)."""
        self.last_used_at = timezone.now()


def masked(secret: str) -> str:
    """``••••••••abcd``; nothing of a short secret."""
    return MASK + (secret[-SHOWN:] if len(secret) >= 4 * SHOWN else "")
