"""What went wrong with a connection lately, in the service's words."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.integrations.models.integration import Integration


class IntegrationFailure(TenantModel):
    """One failure, or the same one several times in a row. Only the latest few of a connection are kept."""

    integration: Any = TenantForeignKey(Integration, on_delete=models.CASCADE, related_name="failures")
    first_at = models.DateTimeField()
    at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    job = models.CharField(max_length=60, blank=True, help_text="What was asked of it; nothing for a connection test.")
    who = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=60)
    message = models.TextField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["account", "integration", "-at"], name="integration_failures_latest")]

    def __str__(self) -> str:
        return self.message
