"""Keeping each event once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.utils import timezone

from apps.integrations.models import Integration, ReceivedEvent
from apps.integrations.providers.webhooks import ProviderEvent
from apps.integrations.webhooks.handing_on import send


def keep(row: Integration, events: Iterable[ProviderEvent]) -> int:
    """Write those that are not known yet, and hand them on after commit. Returns how many rows were tried."""
    now = timezone.now()
    wanted = {_key(event): event for event in events}
    if not wanted:
        return 0
    known = set(ReceivedEvent.objects.filter(integration=row, key__in=wanted).values_list("key", flat=True))
    rows = [
        ReceivedEvent(
            integration=row,
            account_id=row.account_id,
            key=key,
            kind=event.kind.replace("\0", "")[:120],
            payload=dict(event.payload),
            occurred_at=event.at,
            next_attempt_at=now,
        )
        for key, event in wanted.items()
        if key not in known
    ]
    # The same delivery may arrive twice at once; the constraint keeps the first.
    ReceivedEvent.objects.bulk_create(rows, ignore_conflicts=True)
    if rows and row.account_id is not None:
        transaction.on_commit(partial(send, row.account_id))
    return len(rows)


def _key(event: ProviderEvent) -> str:
    return hashlib.sha256(event.id.encode()).hexdigest()
