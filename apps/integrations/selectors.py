"""Read queries of this floor."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.integrations.models import Integration


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
