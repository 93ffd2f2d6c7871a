"""Vectors whose message is gone, or whose index is not in use any more: found for the bill, and removed.

The job of indexing removes what it knows of. What it does not know (an index restored from another day, rows lost by
hand) lies at the service for nothing; ``holdings`` asks here which vectors those are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.jobs import Retry, RunningJob, enqueue
from apps.accounts.models import Job
from apps.chat.indexing import vectors
from apps.chat.indexing.generations import PREFIX, Status
from apps.chat.indexing.passages import message_id_of
from apps.chat.models import IndexedMessage, IndexGeneration, Message
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.zerodb import holdings

KIND = "conversations.forget_vectors"
AT_ONCE = 100
_OURS = re.compile(rf"{PREFIX}-\d+\Z")


def declare() -> None:
    """Called once, at start-up."""
    holdings.declare_origin(PREFIX, still_there)
    holdings.declare_passing(PREFIX, in_passing)


def still_there(namespace: str, ids: Iterable[str]) -> set[str]:
    """Those of ``ids`` whose message is to be found by them, and all that are not ours. In the account's scope."""
    messages = {one: _message_of(one) for one in ids}
    not_ours = {one for one, message in messages.items() if message is None}
    if not _OURS.match(namespace):
        return set(messages)
    wanted = {message for message in messages.values() if message is not None}
    rows = IndexedMessage.objects.filter(generation__namespace=namespace, message_id__in=wanted)
    rows = rows.exclude(generation__status=Status.RETIRED).exclude(state=IndexedMessage.State.REMOVING)
    known = set(rows.values_list("message_id", flat=True))
    there = set(Message.objects.filter(pk__in=known).values_list("id", flat=True))
    return not_ours | {one for one, message in messages.items() if message in there}


def in_passing() -> set[str]:
    """The namespaces of indexes that do not serve: one that is being built, others that are being removed."""
    return set(IndexGeneration.objects.exclude(status=Status.SERVING).values_list("namespace", flat=True))


def queue_forgetting(actor: Actor) -> Job:
    """Put the removal of leftovers in line, once per account at a time."""
    return enqueue(KIND, actor=actor, dedupe_key="leftovers")


def run(job: RunningJob) -> dict[str, Any]:
    """Remove what was found. May be killed anywhere: what is gone already is no error. Raises Retry."""
    with job.scope():
        found = holdings.gone()
        if not found or not IndexGeneration.objects.exists():
            return {"removed": 0}
        opened = vectors.project(in_background=True)
        client = opened.__enter__()
    try:
        for namespace in sorted({name for name, _ in found}):
            ids = [one for name, one in found if name == namespace]
            for start in range(0, len(ids), AT_ONCE):
                client.delete_vectors(ids[start : start + AT_ONCE], namespace=namespace)
    except OutboundError as error:
        raise Retry(str(error), at_least=error.retry_after) from error
    finally:
        opened.__exit__(None, None, None)
    with job.scope():
        holdings.forget_measured(job.account_id)
    return {"removed": len(found)}


def _message_of(vector: str) -> UUID | None:
    try:
        return message_id_of(vector)
    except ValueError:
        return None
