"""Read queries of this floor."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration, OpenedAddress
from apps.integrations.outbound.addresses import AllowList


def integrations_of(category: str, provider: str | None = None) -> QuerySet[Integration]:
    """The enabled connections of the account in scope, the one without a name first, then the oldest."""
    rows = Integration.objects.filter(category=category, enabled=True)
    if provider is not None:
        rows = rows.filter(provider=provider)
    return rows.order_by("name", "created_at", "id")


def integration_for(category: str, provider: str | None = None, *, name: str | None = None) -> Integration | None:
    """The connection that does the category's jobs for the account in scope; None when none is enabled."""
    rows = integrations_of(category, provider)
    if name is not None:
        rows = rows.filter(name=name)
    return rows.first()


def opened_addresses(account_id: UUID) -> AllowList:
    """What the operator opened to this account alone. Needs no scope; opens the account's own."""
    with tenant(account_id):
        return AllowList.of(OpenedAddress.objects.values_list("address", flat=True))
