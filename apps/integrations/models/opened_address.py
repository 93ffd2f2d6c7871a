"""Addresses inside the operator's network that one account may call."""

from __future__ import annotations

from django.db import models

from apps.accounts.tenancy.models import TenantModel


class OpenedAddress(TenantModel):
    """A network, an address or a host (with a port) that the operator opened for the account.

    Calls to addresses that accounts choose go to the public Internet only; this is the exception for one account,
    as ``OUTBOUND_ALLOW`` is for all.
    """

    address = models.CharField(
        max_length=255, help_text="A network (10.1.0.0/16), an address, or a host (crm.internal, crm.internal:8443)."
    )
    reason = models.CharField(max_length=300)
    opened_by_id = models.UUIDField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "opened addresses"
        constraints = [
            models.UniqueConstraint(fields=["account", "address"], name="opened_address_once"),
        ]

    def __str__(self) -> str:
        return self.address
