"""Where conversations come in."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from apps.accounts.tenancy.models import TenantModel


class Inbox(TenantModel):
    """One way by which customers reach the account."""

    class Channel(models.TextChoices):
        WEBSITE = "website", "Website chat"
        EMAIL = "email", "E-mail"
        API = "api", "API"

    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.API)
    enabled = models.BooleanField(default=True)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "inboxes"
        constraints = [models.UniqueConstraint("account", Lower("name"), name="inbox_name_once")]

    def __str__(self) -> str:
        return self.name
