"""Celery entry points of this floor."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.accounts.jobs import running, sweep


@shared_task(name="accounts.run_job")
def run_job(account_id: str, job_id: str) -> str:
    """Run one job if it is due."""
    return running.run(UUID(account_id), UUID(job_id))


@shared_task(name="accounts.sweep_jobs")
def sweep_jobs() -> int:
    """Send lost jobs again; beat calls this every few seconds."""
    return sweep.sweep()
