"""Bringing the vectors into step with the rows: the work of the job ``conversations.index``.

May be killed at any line. A row says how many vectors its message may have before the first of them is sent, and is
marked done after the last; vectors bear ids made from the message's, so what is sent twice is there once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.crash_points import crash_point
from apps.accounts.jobs import MakeRoom, Retry, RunningJob
from apps.accounts.metering import LimitReached, Line, PriceUnknown, metered
from apps.accounts.models import Job
from apps.chat.indexing import vectors
from apps.chat.indexing.changes import to_plan
from apps.chat.indexing.generations import cut_over, living, plan, remove_all, settle_in
from apps.chat.indexing.locking import hold
from apps.chat.indexing.passages import passages_of, vector_id
from apps.chat.indexing.secrets import without_secrets
from apps.chat.indexing.taking_back import take_back
from apps.chat.models import IndexedMessage, IndexGeneration, Message
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.zerodb import holdings
from apps.integrations.zerodb.client import NotFound, ProjectClient
from apps.vault.messages import load_contents

ACTOR = Actor.system("indexing")
BATCH_MESSAGES = 64
BATCH_TEXTS = 100
"""What the contract lets one call embed."""
State, Status = IndexedMessage.State, IndexGeneration.Status
_WAIT_FOR_PROJECT = 60.0
_WAIT_FOR_OPERATOR = 900.0
"""Seconds until something is asked again that waiting alone does not mend: a refused key, a project that is gone."""
_LATER = timedelta(seconds=1)


def run(job: RunningJob) -> dict[str, Any]:
    """Work until nothing is due. Raises Retry with words for people."""
    indexed, removed = job.payload.get("indexed", 0), job.payload.get("removed", 0)
    try:
        with ExitStack() as opened:
            with job.scope():
                client = opened.enter_context(vectors.project(in_background=True))
                settle_in(client.project_id)
            job.make_room()
            failed: dict[UUID, OutboundError] = {}
            while (step := _step(job, client, failed)) is not None:
                indexed, removed = indexed + step[0], removed + step[1]
                job.make_room()
    except MakeRoom:
        with job.scope():
            job.remember(indexed=indexed, removed=removed)
        raise
    except vectors.NoProject as error:
        raise Retry(str(error), after=_WAIT_FOR_PROJECT) from error
    except (LimitReached, PriceUnknown) as error:
        raise Retry(str(error), after=3600.0) from error
    except NotFound as error:
        raise Retry("The project is gone from the AI service.", after=_WAIT_FOR_OPERATOR) from error
    except OutboundError as error:
        # Never given up: what is to be indexed stays so, and a job that fails would be put in line again at once.
        raise Retry(
            str(error), after=_WAIT_FOR_OPERATOR if error.permanent else None, at_least=error.retry_after
        ) from error
    if indexed or removed:
        holdings.count_changed(job.account_id, timezone.now())
    return {"indexed": indexed, "removed": removed}


def _step(job: RunningJob, client: ProjectClient, failed: dict[UUID, OutboundError]) -> tuple[int, int] | None:
    """One piece of work: ``(indexed, removed)``; None when nothing is due.

    ``failed`` are the indexes that could not be added to in this run. Raises what kept one of them, when all else is
    done: a model that is gone must not hold up the index that is to replace its own.
    """
    if removed := _remove_some(job, client):
        return 0, removed
    with job.scope():
        for generation in to_plan(job.account_id):
            plan(generation)
            crash_point("indexing.planned")
            return 0, 0
    for generation in _generations(job):
        if generation.pk in failed:
            continue
        started = time.monotonic()
        try:
            indexed = _index_some(job, client, generation)
        except OutboundError as error:
            failed[generation.pk] = error
            continue
        if indexed:
            _keep_rate(generation, indexed, started)
            return indexed, 0
    if _finish_some(job):
        return 0, 0
    for generation in _generations(job):
        if generation.pk in failed:
            raise failed[generation.pk]
    return None


def _generations(job: RunningJob) -> list[IndexGeneration]:
    """The one that serves first: searches should miss nothing while another is built."""
    with job.scope():
        return sorted(living(), key=lambda row: row.status != Status.SERVING)


# --- in


def _index_some(job: RunningJob, client: ProjectClient, generation: IndexGeneration) -> int:
    """Index the next messages of ``generation``. Returns how many rows were settled."""
    with job.scope():
        rows = _due(State.PENDING).filter(generation=generation)[:BATCH_MESSAGES]
        work = _read(list(rows))
    if not work:
        return 0
    pieces = [(vector_id(row.message_id, n), row, text) for row, texts in work for n, text in enumerate(texts)]
    for batch in _batches(pieces, BATCH_TEXTS):
        crash_point("indexing.before_embed")
        _send(job, client, generation, batch)
        crash_point("indexing.after_send")
    with job.scope():
        _mark([row for row, _ in work])
        crash_point("indexing.marked")
        _show_progress(job, generation)
    return len(work)


def _mark(rows: list[IndexedMessage]) -> None:
    """Say that these are indexed. One that is to be removed meanwhile stays so: its vectors are known by its passages.

    A message that somebody is just deleting is locked, and left for later: whoever deletes it marks its row after it.
    """
    messages = Message.objects.filter(pk__in=[row.message_id for row in rows])
    here = set(messages.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    pending, now = IndexedMessage.objects.filter(state=State.PENDING), timezone.now()
    done = pending.filter(pk__in=[row.pk for row in rows if row.message_id in here])
    done.update(state=State.INDEXED, updated_at=now)
    left = pending.filter(pk__in=[row.pk for row in rows if row.message_id not in here])
    left.update(due_at=now + _LATER)


def _read(rows: list[IndexedMessage]) -> list[tuple[IndexedMessage, list[str]]]:
    """The rows with their passages, noted on the rows. Those whose message is gone are noted for removal."""
    texts = load_contents(Message, [row.message_id for row in rows])
    work, gone = [], []
    for row in rows:
        if row.message_id not in texts:
            gone.append(row.pk)
            continue
        passages = passages_of(without_secrets(texts[row.message_id]))
        row.passages = max(row.passages, len(passages))
        work.append((row, passages))
    IndexedMessage.objects.filter(pk__in=gone).update(state=State.REMOVING, due_at=timezone.now())
    IndexedMessage.objects.bulk_update([row for row, _ in work], ["passages"])
    return work


def _send(
    job: RunningJob, client: ProjectClient, generation: IndexGeneration, batch: list[tuple[str, IndexedMessage, str]]
) -> None:
    line = Line("embeddings", len(batch), "zerodb")
    # The name is of this attempt and what is in it: what is sent again after a crash is counted once.
    key = f"index:{generation.pk}:{batch[0][0]}:{batch[-1][0]}"
    with metered("zerodb", line, actor=ACTOR, account=job.account_id, idempotency_key=key):
        made = client.generate([text for _, _, text in batch], model=generation.model)
        with job.scope():
            pass  # embedding may have taken longer than the lease: what is not ours any more is not sent
        crash_point("indexing.before_put")
        client.put_vectors(
            [
                {"id": key_, "vector": vector, "metadata": {"conversation": str(row.conversation_id)}}
                for (key_, row, _), vector in zip(batch, made.vectors, strict=True)
            ],
            namespace=generation.namespace,
        )
        if not job.is_ours():
            take_back(job.account_id, client, generation, [row for _, row, _ in batch])


def _keep_rate(generation: IndexGeneration, indexed: int, started: float) -> None:
    if generation.rate and generation.status == Status.BUILDING:
        time.sleep(max(0.0, indexed / generation.rate - (time.monotonic() - started)))


def _show_progress(job: RunningJob, generation: IndexGeneration) -> None:
    rows = IndexedMessage.objects.filter(generation=generation)
    job.progress(rows.filter(state=State.INDEXED).count(), rows.count())
    # It goes on, so what kept it before is over.
    Job.objects.filter(pk=job.id).exclude(error="").update(error="")


# --- out


def _remove_some(job: RunningJob, client: ProjectClient) -> int:
    """Remove the vectors of the next messages that have to go. Returns how many rows went."""
    read_at = timezone.now()
    with job.scope():
        rows = list(_due(State.REMOVING).select_related("generation")[:BATCH_MESSAGES])
    if not rows:
        return 0
    by_namespace: dict[str, list[str]] = {}
    for row in rows:
        ids = by_namespace.setdefault(row.generation.namespace, [])
        ids += [vector_id(row.message_id, position) for position in range(row.passages)]
    for namespace, ids in by_namespace.items():
        for batch in _batches(ids, BATCH_TEXTS):
            client.delete_vectors(batch, namespace=namespace)
    crash_point("indexing.after_delete")
    with job.scope():
        # What became due again meanwhile may have been sent late: it is removed once more (taking_back).
        gone = IndexedMessage.objects.filter(pk__in=[row.pk for row in rows], state=State.REMOVING)
        gone.filter(due_at__lte=read_at).delete()
    return len(rows)


# --- generations


def _finish_some(job: RunningJob) -> bool:
    """Cut over to a generation that is complete, and forget one that is empty. Returns whether anything was done."""
    with job.scope():
        for generation in IndexGeneration.objects.exclude(status=Status.SERVING):
            rows = IndexedMessage.objects.filter(generation=generation)
            if generation.status == Status.RETIRED and _forget(generation):
                return True
            if generation.status == Status.BUILDING and generation.is_planned and not _pending(rows).exists():
                changes = {"model": generation.model, "messages": rows.count()}
                audit.record("index.rebuilt", actor=ACTOR, entity=generation, changes=changes)
                cut_over(generation)
                crash_point("indexing.cut_over")
                return True
    return False


def _forget(generation: IndexGeneration) -> bool:
    """Remove a retired generation, or what came into it late. Returns whether there was anything to do."""
    rows = IndexedMessage.objects.filter(generation=generation)
    if rows.filter(state=State.REMOVING).exists():
        return False
    hold(alone=True)  # whoever adds a message may have known it as living
    remove_all(generation)
    if not rows.exists():
        generation.delete()
    return True


def _pending(rows: Any) -> Any:
    return rows.filter(state=State.PENDING)


def _due(state: str) -> Any:
    return IndexedMessage.objects.filter(state=state, due_at__lte=timezone.now()).order_by("due_at", "id")


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
