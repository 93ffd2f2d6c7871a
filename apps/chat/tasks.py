"""Celery entry points of this floor."""

from __future__ import annotations

from celery import shared_task

from apps.chat.indexing.sweeping import sweep


@shared_task(name="chat.sweep_index")
def sweep_index() -> int:
    """Put indexing in line for the accounts that have something to index; beat calls this every few seconds."""
    return sweep()
