"""Grants that no connection uses: of trials whose process died before it could forget them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import kind_of
from apps.integrations.oauth.kinds import PREFIX, belongs_to_one_of, connection_of
from apps.integrations.providers import UnknownProvider
from apps.vault.models import Token
from apps.vault.tokens import drop

_LEFT_AFTER = timedelta(hours=1)
"""Longer than any trial takes: until it ends its connection is not stored, or calls with another grant."""
_SEEN = 1000


def clear_left(*, now: datetime) -> int:
    """Forget what trials have left over, in any account. Opens its scopes. Returns how many."""
    with platform("find grants that no connection uses"):
        old = Token.objects.filter(kind__startswith=f"{PREFIX}:", created_at__lt=now - _LEFT_AFTER)
        others = ~Q(belongs_to_one_of(Integration.objects.all())) | Q(kind__regex=f"^{PREFIX}:[^:]+:")
        found = list(old.filter(others).order_by("?").values_list("account_id", "kind")[:_SEEN])
    return sum(_drop_if_left(account_id, kind) for account_id, kind in found)


def _drop_if_left(account_id: UUID, kind: str) -> bool:
    with tenant(account_id):
        row = Integration.objects.select_for_update(no_key=True).filter(pk=connection_of(kind)).first()
        try:
            left = row is None or row.definition.oauth is None or kind_of(row) != kind
        except UnknownProvider:
            return False
        if left:
            drop(kind)
        return left
