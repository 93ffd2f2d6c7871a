"""Putting work in line."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts.actors import Actor
from apps.accounts.crash_points import crash_point
from apps.accounts.jobs.registry import kind_of
from apps.accounts.models import Job

logger = logging.getLogger(__name__)


def enqueue(
    kind: str, *, actor: Actor, payload: dict[str, Any] | None = None, total: int | None = None, dedupe_key: str = ""
) -> Job:
    """Write the job's row in the current transaction and send its message after commit.

    With a ``dedupe_key``, an unfinished job of this kind and key is returned instead of a second one.
    Raises LookupError for an unknown kind.
    """
    is_bulk = kind_of(kind).is_bulk
    fields = {
        "payload": payload or {},
        "total": total,
        "created_by_id": actor.user_id,
        "next_attempt_at": timezone.now(),
    }
    if dedupe_key:
        job, created = Job.objects.get_or_create(
            kind=kind, dedupe_key=dedupe_key, status__in=[Job.Status.QUEUED, Job.Status.RUNNING], defaults=fields
        )
        if not created:
            return job
    else:
        job = Job.objects.create(kind=kind, **fields)
    transaction.on_commit(partial(send, job.account_id, job.id, is_bulk=is_bulk))
    return job


FIRST, LAST = 0, 9
"""Places in line as Redis and Valkey know them: a worker takes what has the lowest number first."""


def send(account_id: UUID, job_id: UUID, *, after: float = 0, is_bulk: bool = False) -> bool:
    """Send the message that makes a worker look at the job. A lost one is sent again by the sweep.

    A broker that is away is logged, not raised: the row is there, so nothing is lost. Returns whether it took it.
    """
    from apps.accounts.tasks import run_job

    crash_point("jobs.before_send")
    try:
        run_job.apply_async(
            (str(account_id), str(job_id)), countdown=after or None, priority=LAST if is_bulk else FIRST
        )
    except (OperationalError, OSError) as error:
        logger.warning("Job %s is stored but the broker did not take its message (%s); the sweep will.", job_id, error)
        return False
    return True
