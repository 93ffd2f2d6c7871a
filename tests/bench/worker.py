"""The product's Celery application with the one task that T1 counts."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.accounts.tenancy.tasks import TenantTask
from config.celery import app

__all__ = ["app", "touch"]


@shared_task(base=TenantTask, name="bench.touch")
def touch(account_id: str, contact_id: str) -> None:
    """One update of one row, in the scope that the task's base opens."""
    from apps.vault.models import Contact

    changed = Contact.objects.filter(pk=contact_id).update(last_activity_at=timezone.now())
    assert changed == 1
