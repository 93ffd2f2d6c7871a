"""Where a connection's service sends its events."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.urls import reverse


def delivery_address(integration_id: UUID) -> str:
    """The whole address, as it is typed in at the service."""
    return f"{settings.BASE_URL}{reverse('provider_delivery', args=[integration_id])}"
