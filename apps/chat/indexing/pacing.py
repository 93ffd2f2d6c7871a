"""Making many vectors anew no faster than whoever began it allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from apps.accounts.actors import Actor
from apps.accounts.identifiers import uuid7
from apps.accounts.jobs import RunningJob, enqueue
from apps.accounts.models import Job
from apps.accounts.services.jobs import hasten_job
from apps.chat.indexing.embedding import AT_ONCE

_ONE = "all"
Wish = dict[str, Any]
"""What a job of this kind is to do, as its payload has it: ``rate`` (texts per second at most, None: no limit), and
``begun``, by which one wish is told from the next."""


def begin(kind: str, *, actor: Actor, **wish: Any) -> Job:
    """Put the work in line, once per account at a time. One that is under way does what is wished now."""
    return _wish(kind, {**wish, "begun": str(uuid7())}, actor)


def _wish(kind: str, wish: Wish, actor: Actor) -> Job:
    job = enqueue(kind, actor=actor, payload=wish, dedupe_key=_ONE)
    if job.payload != wish:
        Job.objects.filter(pk=job.pk).update(payload=wish)
        hasten_job(job)
    return job


def go_on(kind: str, *, actor: Actor) -> Job | None:
    """The work that waits, or the one that was given up put in line again; None when there is nothing unfinished."""
    last: Job | None = Job.objects.filter(kind=kind).order_by("-created_at").first()
    if last is None or last.status == Job.Status.DONE:
        return None
    job = _wish(kind, last.payload, actor)
    hasten_job(job)
    return job


def wished(job: RunningJob) -> Wish:
    """What is wished of the job now: somebody may have begun anew since the attempt began. In the job's scope."""
    payload: Wish = Job.objects.values_list("payload", flat=True).get(pk=job.id)
    return payload


def is_done(job: RunningJob, wish: Wish) -> bool:
    """Note that ``wish`` is fulfilled, which outlives a crash. False when another is wished by now. In its scope."""
    same = Job.objects.filter(pk=job.id, payload__begun=wish["begun"])
    return bool(same.update(payload={**wish, "is_done": True}))


def work_off(job: RunningJob, do_some: Callable[[int, Wish], int | None]) -> int:
    """Call ``do_some(how many, wish)`` until it answers None, at the wished rate. Returns how many were done in all.

    ``do_some`` opens its scopes itself, and answers how many texts it embedded.
    """
    done = 0
    job.make_room()
    while True:
        with job.scope():
            wish = wished(job)
        started, rate = time.monotonic(), wish.get("rate")
        at_once = AT_ONCE if rate is None else max(1, min(AT_ONCE, int(rate)))
        number = do_some(at_once, wish)
        if number is None:
            return done
        done += number
        if rate is not None:
            time.sleep(max(0.0, number / rate - (time.monotonic() - started)))
        job.make_room()
