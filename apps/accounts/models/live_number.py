"""How often open pages of an account were told that something changed."""

from __future__ import annotations

from django.db import models

from apps.accounts.tenancy.models import TenantModel


class LiveNumber(TenantModel):
    """One row an account. It lies in PostgreSQL, so that it never falls back, whatever becomes of the Redis server."""

    number = models.PositiveBigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account"], name="live_number_once")]

    def __str__(self) -> str:
        return f"{self.number} announcements"
