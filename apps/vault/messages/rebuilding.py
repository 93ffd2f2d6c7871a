"""Bringing the words of all messages in line with the account's setting and current index key.

Runs as a job, in chunks that commit by themselves; one that is interrupted goes on where it stopped. Search works
meanwhile: a message is found under the key before until its chunk is done, and under the new one from then on.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from apps.accounts.jobs import RunningJob
from apps.accounts.models import Job
from apps.vault.fields import open_columns
from apps.vault.messages.setting import note_built, setting_to_write_by, word_models
from apps.vault.messages.storing import words_for

CHUNK = 500
_START = UUID(int=0)


def run(job: RunningJob) -> dict[str, Any]:
    """The handler of jobs of the kind ``setting.REBUILD``. The result has ``messages``, and how many ``changed``."""
    models = {words.of._meta.label: words.of for words in word_models()}
    with job.scope():
        job.progress(0, sum(_searchable(model).count() for model in models.values()))
    done, changed = job.payload.get("done", 0), job.payload.get("changed", 0)
    for label in sorted(models):
        if label < job.payload.get("model", ""):
            continue
        after: UUID | None = UUID(job.payload["after"]) if label == job.payload.get("model") else _START
        while after is not None:
            with job.scope():
                after, looked_at, written = _chunk(job.account_id, models[label], after)
                done, changed = done + looked_at, changed + written
                if after is not None:
                    job.remember(model=label, after=str(after), done=done, changed=changed)
                job.progress(done)
    with job.scope():
        _finish(job)
    return {"messages": done, "changed": changed}


def _searchable(model: Any) -> Any:
    return model.objects.filter(is_searchable=True)


def _chunk(account_id: UUID, model: Any, after: UUID) -> tuple[UUID | None, int, int]:
    """The last id looked at (None at the end), how many messages, how many of them changed."""
    setting = setting_to_write_by()
    locked = _searchable(model).select_for_update(of=("self",)).filter(pk__gt=after).order_by("pk")
    rows = list(locked.values_list("id", "content", "words")[:CHUNK])
    fresh: list[tuple[UUID, list[int] | None]] = []
    if setting.enabled:
        for message_id, text, words in open_columns(model, account_id, rows, {1: "content"}):
            wanted = words_for(account_id, text, setting)
            if words is None or set(words) != set(wanted or []):
                fresh.append((message_id, wanted))
    else:
        fresh = [(message_id, None) for message_id, _, words in rows if words is not None]
    _write(account_id, model, fresh)
    return (rows[-1][0] if len(rows) == CHUNK else None), len(rows), len(fresh)


def _write(account_id: UUID, model: Any, fresh: list[tuple[UUID, list[int] | None]]) -> None:
    """Triggers bring the table of words in line."""
    if not fresh:
        return
    # Arrays of arrays can't be unfolded row by row, their text can.
    texts = [None if words is None else f"{{{','.join(map(str, words))}}}" for _, words in fresh]
    table = model._meta.db_table
    assert connection.connection is not None
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            f'UPDATE "{table}" AS message SET words = fresh.words::bigint[] '  # noqa: S608
            "FROM unnest(%b::uuid[], %b::text[]) AS fresh(id, words) "
            "WHERE message.account_id = %b AND message.id = fresh.id",
            ([message_id for message_id, _ in fresh], texts, account_id),
        )


def _finish(job: RunningJob) -> None:
    """Unless the setting changed again meanwhile: the job of that change will see to it."""
    unfinished = Job.objects.filter(kind=job.kind, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    if not unfinished.exclude(pk=job.id).exists():
        note_built()
