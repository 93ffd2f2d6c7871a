"""Celery entry points of this floor."""

from __future__ import annotations

from celery import shared_task

from apps.chat.indexing.sweeping import sweep
from apps.chat.services import waking
from apps.chat.suggestions import preparing


@shared_task(name="chat.sweep_index")
def sweep_index() -> int:
    """Put indexing in line for the accounts that have something to index; beat calls this every few seconds."""
    return sweep()


@shared_task(name="chat.wake_snoozed")
def wake_snoozed() -> int:
    """Open snoozed conversations whose time has come."""
    return waking.sweep()


@shared_task(name="chat.sweep_suggestions")
def sweep_suggestions() -> int:
    """Put the vectors of canned responses in line where some are due; beat calls this every few seconds."""
    return preparing.sweep()
