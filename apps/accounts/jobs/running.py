"""Running one attempt of a job under a lease.

The lease names the attempt. Every write of the attempt is conditional on it, so a worker that was thought
dead and comes back can't write over its successor; a heartbeat keeps the lease while the handler waits for
something outside.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.identifiers import uuid7
from apps.accounts.jobs.enqueue import send
from apps.accounts.jobs.registry import JobKind, MakeRoom, PermanentFailure, Retry, awaited, kind_of
from apps.accounts.models import Account, Job
from apps.accounts.signals import job_held
from apps.accounts.tenancy.scope import platform, tenant

logger = logging.getLogger(__name__)


MAKE_ROOM_SECONDS = 2.0
"""How long bulk work goes on before it looks whether somebody waits for small work."""
ROOM_FOR = timedelta(seconds=30)
"""How long it does so for the same piece of small work."""
_STEP_ASIDE = 0.5
"""Seconds after which bulk work that made room comes again: small work is taken at once where anybody is free."""
_CLAIMED = ("status", "lease", "heartbeat_at", "resend_at", "attempts", "started_at")


class LeaseLost(RuntimeError):
    """Another attempt owns the job now (or it was cancelled): stop, and leave nothing behind."""


@dataclass(frozen=True)
class RunningJob:
    """One attempt, as its handler sees it. The handler opens the account's scope itself, as often as it needs."""

    id: UUID
    account_id: UUID
    kind: str
    payload: dict[str, Any]
    attempt: int
    lease: UUID
    created_by_id: UUID | None
    makes_room: bool = True
    """Whether this process is a worker, which work of others may wait for."""
    _looked: list[float] = field(default_factory=lambda: [-math.inf], repr=False, compare=False)
    """When it last looked whether anybody waits."""

    @contextmanager
    def scope(self) -> Iterator[None]:
        """A transaction in the job's account that commits only while this attempt still owns the job."""
        with tenant(self.account_id):
            yield
            self._hold()

    def _hold(self, **fields: Any) -> None:
        held = Job.objects.filter(pk=self.id, lease=self.lease, status=Job.Status.RUNNING)
        if not held.update(heartbeat_at=timezone.now(), **fields):
            raise LeaseLost(f"Job {self.id} is not this attempt's any more.")

    def is_ours(self) -> bool:
        """Whether this attempt still owns the job; outside of a scope."""
        with tenant(self.account_id):
            return Job.objects.filter(pk=self.id, lease=self.lease, status=Job.Status.RUNNING).exists()

    def progress(self, done: int, total: int | None = None) -> None:
        """Show how far it is. Call inside ``scope()`` to commit with the work itself. Raises LeaseLost."""
        fields: dict[str, Any] = {"done": done}
        if total is not None:
            fields["total"] = total
        self._hold(**fields)

    def make_room(self) -> None:
        """Let work go first that somebody waits for, whoever it is of.

        Call at the beginning and now and then, outside of a scope. Looks at most once in MAKE_ROOM_SECONDS. Raises
        MakeRoom, after which the job goes on where it was.
        """
        now = time.monotonic()
        if not self.makes_room or now - self._looked[0] < MAKE_ROOM_SECONDS:
            return
        self._looked[0] = now
        with platform("see whether somebody waits for other work"):
            # What was not taken for long waits for something else, and no room is made for it.
            moment = timezone.now()
            due = Job.objects.filter(next_attempt_at__range=(moment - ROOM_FOR, moment), status=Job.Status.QUEUED)
            is_awaited = due.filter(kind__in=awaited(), account__status=Account.Status.ACTIVE).exists()
        if is_awaited:
            raise MakeRoom("Others wait.")

    def remember(self, **facts: Any) -> None:
        """Keep ``facts`` in the payload for the next attempt (inside ``scope()``). Raises LeaseLost."""
        self.payload.update(facts)
        self._hold(payload=self.payload)


def run(account_id: UUID, job_id: UUID, *, makes_room: bool = True) -> str:
    """Run the job if it is due and nobody else does. Returns its status afterwards, or ``not due``.

    ``makes_room``: as ``RunningJob.makes_room``; a command has its process for itself and need not.
    Jobs of a suspended account wait until it is active again; an attempt that runs already comes to its end.
    """
    job = _claim(account_id, job_id)
    if job is None:
        return "not due"
    job = replace(job, makes_room=makes_room)
    try:
        kind = kind_of(job.kind)
    except LookupError as error:
        # Perhaps this process is older than the kind; the attempts run out in any case.
        logger.exception("Job %s can't be run here.", job_id)
        return _again(job, JobKind(job.kind, _nothing), Retry(str(error)))
    if job.attempt > kind.max_attempts:
        # An attempt that fails ends by itself: only one that took its worker with it leaves more to come.
        return _fail(job, kind, f"The worker was lost each time. Given up after {kind.max_attempts} attempts.")
    with _heartbeat(job):
        try:
            result = kind.handler(job)
        except LeaseLost:
            logger.info("Job %s lost its lease; leaving it to its successor.", job_id)
            return "lease lost"
        except MakeRoom:
            return _behind(job, kind)
        except PermanentFailure as error:
            return _fail(job, kind, str(error))
        except Retry as error:
            return _again(job, kind, error)
        except Exception as error:
            logger.exception("Job %s (%s) failed at attempt %s.", job_id, job.kind, job.attempt)
            return _again(job, kind, Retry(f"Unexpected fault: {type(error).__name__}."))
    return _close(job, status=Job.Status.DONE, result=result, error="")


def _nothing(job: RunningJob) -> None:
    """What a process can do for a kind that it does not know."""


def _claim(account_id: UUID, job_id: UUID) -> RunningJob | None:
    now = timezone.now()
    stale = now - timedelta(seconds=settings.JOB_LEASE_SECONDS)
    due = Q(status=Job.Status.QUEUED) & (Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))
    lost = Q(status=Job.Status.RUNNING, heartbeat_at__lt=stale)
    with tenant(account_id):
        # Locked alone: the account's row is everybody's.
        jobs = Job.objects.select_for_update(skip_locked=True, of=("self",))
        row = jobs.filter(due | lost, pk=job_id, account__status=Account.Status.ACTIVE).first()
        if row is None:
            return None
        row.status, row.lease, row.heartbeat_at, row.resend_at = Job.Status.RUNNING, uuid7(), now, None
        row.attempts += 1
        row.started_at = row.started_at or now
        row.save(update_fields=[*_CLAIMED, "updated_at"])
    return RunningJob(row.id, account_id, row.kind, dict(row.payload), row.attempts, row.lease, row.created_by_id)


def _fail(job: RunningJob, kind: JobKind, reason: str) -> str:
    with tenant(job.account_id):
        outcome = _close(job, status=Job.Status.FAILED, error=reason)
        if outcome == Job.Status.FAILED and kind.on_failure is not None:
            try:
                with transaction.atomic():
                    kind.on_failure(job, reason)
            except Exception:
                # A job that could not end would be sent again for ever.
                logger.exception("Nobody could be told that job %s (%s) failed.", job.id, job.kind)
    return outcome


def _again(job: RunningJob, kind: JobKind, retry: Retry) -> str:
    reason = str(retry)
    if job.attempt >= kind.max_attempts:
        return _fail(job, kind, f"{reason} Given up after {job.attempt} attempts.")
    delay = max(kind.delay_before(job.attempt) if retry.after is None else retry.after, retry.at_least)
    outcome = _close(
        job,
        status=Job.Status.QUEUED,
        error=reason,
        lease=None,
        next_attempt_at=timezone.now() + timedelta(seconds=delay),
        resend_at=None,
        finished_at=None,
    )
    send(job.account_id, job.id, after=delay, is_bulk=kind.is_bulk)
    return outcome


def _behind(job: RunningJob, kind: JobKind) -> str:
    then = timezone.now() + timedelta(seconds=_STEP_ASIDE)
    fields = {"lease": None, "next_attempt_at": then, "resend_at": None, "finished_at": None}
    outcome = _close(job, status=Job.Status.QUEUED, attempts=job.attempt - 1, **fields)
    send(job.account_id, job.id, after=_STEP_ASIDE, is_bulk=kind.is_bulk)
    return outcome


def _close(job: RunningJob, **fields: Any) -> str:
    fields.setdefault("finished_at", timezone.now())
    with tenant(job.account_id):
        held = Job.objects.filter(pk=job.id, lease=job.lease, status=Job.Status.RUNNING)
        if not held.update(**fields):
            return "lease lost"
    return str(fields["status"])


@contextmanager
def _heartbeat(job: RunningJob) -> Iterator[None]:
    """Keep the lease alive from a thread of its own, which costs nothing for jobs shorter than its first beat."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(settings.JOB_LEASE_SECONDS / 3):
            try:
                with tenant(job.account_id):
                    Job.objects.filter(pk=job.id, lease=job.lease, status=Job.Status.RUNNING).update(
                        heartbeat_at=timezone.now()
                    )
                job_held.send(RunningJob, job_id=job.id)
            except Exception:
                # One hiccup of the database is no reason to lose the lease: the next beat connects anew.
                logger.exception("The heartbeat of job %s missed a beat.", job.id)
                connection.close()
        connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
