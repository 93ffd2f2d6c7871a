"""Emptying and removing old events."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.accounts.tenancy.scope import platform
from apps.integrations.models import ReceivedEvent

PAYLOADS_KEPT = timedelta(days=30)
KEYS_KEPT = timedelta(days=400)
"""Longer than any service repeats, so that what was overheard of one that signs no time is not taken again."""
_AT_ONCE = 500


def clear_old_events(*, now: datetime) -> int:
    """Empty the payloads of old events of all accounts, and remove very old ones. Returns how many were changed."""
    with platform("empty old events of outside services"):
        removed = int(ReceivedEvent.objects.filter(created_at__lt=now - KEYS_KEPT).delete()[0])
        full = ReceivedEvent.objects.filter(created_at__lt=now - PAYLOADS_KEPT, payload__isnull=False)
        emptied = 0
        while rows := list(full.defer("payload").order_by("created_at")[:_AT_ONCE]):
            for row in rows:
                row.payload, row.next_attempt_at = None, None
                row.save(update_fields=["payload", "next_attempt_at", "updated_at"])
            emptied += len(rows)
    return removed + emptied
