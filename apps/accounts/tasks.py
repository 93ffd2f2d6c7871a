"""Celery entry points of this floor."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.accounts.jobs import running, sweep
from apps.accounts.metering import expiring, past
from apps.accounts.metering.limits import limit_keys


@shared_task(name="accounts.run_job")
def run_job(account_id: str, job_id: str) -> str:
    """Run one job if it is due."""
    return running.run(UUID(account_id), UUID(job_id))


@shared_task(name="accounts.sweep_jobs")
def sweep_jobs() -> int:
    """Send lost jobs again; beat calls this every few seconds."""
    return sweep.sweep()


@shared_task(name="accounts.expire_reservations")
def expire_reservations() -> int:
    """Give back what was reserved for work that nobody settled, and apply new prices; beat calls it twice a minute."""
    now = timezone.now()
    return expiring.expire_reservations(now) + past.apply_prices(now)


@shared_task(name="accounts.clear_away_usage")
def clear_away_usage() -> int:
    """Remove reservations and counters that are over, and limit keys that were made before there was a ledger."""
    return expiring.clear_away(timezone.now()) + limit_keys()
