"""Celery entry points of this floor."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.vault.idempotency import memory
from apps.vault.services import contact_imports


@shared_task(name="vault.purge_remembered_requests")
def purge_remembered_requests() -> int:
    """Forget the answers of POSTs that are older than a day; beat calls this every hour."""
    return memory.purge(now=timezone.now())


@shared_task(name="vault.clear_contact_imports")
def clear_contact_imports() -> int:
    """Remove lists of contacts that are over; beat calls this every hour."""
    return contact_imports.clear_old_imports()
