"""Taking a stored file in, chunk by chunk, from wherever an earlier attempt stopped."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, RequestContext, in_request
from apps.accounts.roles import Role
from apps.vault import contact_cache, uploads
from apps.vault.contact_import import chunks
from apps.vault.contact_import.chunks import Prepared
from apps.vault.contact_import.matching import Outcome, Person
from apps.vault.contact_import.reading import Format, rows
from apps.vault.contact_import.records import Record
from apps.vault.contact_import.rows import ContactValues, RowReader
from apps.vault.contact_import.times import is_day_first
from apps.vault.contact_import.writing import Overtaken, Sealer
from apps.vault.models import ContactImport, RejectedRows

Scope = Callable[[], AbstractContextManager[Any]]
Progress = Callable[[int, int], None]

_SAMPLE_ROWS = 500
_ATTEMPTS = 5


_watcher: ContextVar[Progress | None] = ContextVar("contact_import_watcher", default=None)


@contextmanager
def watched(watcher: Progress) -> Iterator[None]:
    """Tell ``watcher(done, total)`` of each chunk committed in this context: a command shows it on its terminal."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


class KeptBusy(RuntimeError):
    """The same contacts were being changed by others at every attempt."""


def run(contact_import: ContactImport, *, scope: Scope, progress: Progress, trail: bool = True) -> None:
    """Import what is left of ``contact_import`` (its file, from row ``rows_done``), and finish it.

    ``scope`` opens a transaction in the account; each chunk is one, ``progress(done, total)`` is called inside it.
    ``trail`` False leaves the audit trail alone: for a rehearsal, whose transaction is rolled back.
    Raises KeptBusy, FileNotFoundError (the stored file is gone), DecryptionFailed.
    """
    assert contact_import.account_id is not None
    assert contact_import.upload_id is not None
    with scope():
        sealer = Sealer()
        actor, context = _actor(contact_import), _context(contact_import)
        form = Format.from_json(contact_import.format)
    with uploads.open_upload(contact_import.account_id, contact_import.upload_id) as file, _steady_memory():
        reader = _reader(contact_import, form, file)
        with in_request(context):
            _run_chunks(contact_import, rows(file, form), reader, sealer, actor if trail else None, scope, progress)


def _run_chunks(
    contact_import: ContactImport,
    records: Iterator[Record],
    reader: RowReader,
    sealer: Sealer,
    actor: Actor | None,
    scope: Scope,
    progress: Progress,
) -> None:
    records = islice(records, contact_import.rows_done, None)
    ahead: list[Prepared | None] = []
    expect_new = True

    def prepare_next() -> None:
        batch = list(islice(records, chunks.CHUNK_ROWS))
        ahead.append(chunks.prepare(batch, reader, sealer, expect_new=expect_new) if batch else None)

    prepare_next()
    while chunk := ahead.pop():
        outcome = _commit(contact_import, chunk, sealer, actor, scope, progress, prepare_next)
        expect_new = len(outcome.added) > len(chunk.sound) // 2
    with scope():
        _finish(contact_import, actor)


def _commit(
    contact_import: ContactImport,
    chunk: Prepared,
    sealer: Sealer,
    actor: Actor | None,
    scope: Scope,
    progress: Progress,
    meanwhile: Callable[[], None],
) -> Outcome:
    merge = contact_import.duplicates == ContactImport.Duplicates.MERGE
    since = contact_import.started_at or contact_import.created_at
    once = chunks.Once(meanwhile)
    for _ in range(_ATTEMPTS):
        try:
            with scope():
                now = timezone.now()
                outcome = chunks.work(chunk, sealer, merge=merge, since=since, now=now, meanwhile=once)
                _note(contact_import, chunk, outcome, actor)
                progress(contact_import.rows_done + chunk.rows, contact_import.rows_total)
        except Overtaken:
            continue
        # Only what is committed counts, also in memory.
        for name, count in _counts(contact_import, chunk, outcome).items():
            setattr(contact_import, name, count)
        if watcher := _watcher.get():
            watcher(contact_import.rows_done, contact_import.rows_total)
        return outcome
    raise KeptBusy("Others kept changing the same contacts.")


def _counts(contact_import: ContactImport, chunk: Prepared, outcome: Outcome) -> dict[str, int]:
    return {
        "rows_done": contact_import.rows_done + chunk.rows,
        "added": contact_import.added + len(outcome.added),
        "merged": contact_import.merged + outcome.merged,
        "unchanged": contact_import.unchanged + outcome.unchanged,
        "rejected": contact_import.rejected + len(outcome.rejections),
    }


def _note(contact_import: ContactImport, chunk: Prepared, outcome: Outcome, actor: Actor | None) -> None:
    """Everything that stands beside the contacts: counts, rejected rows, the audit entry, stale cache entries."""
    held = ContactImport.objects.filter(pk=contact_import.pk, rows_done=contact_import.rows_done)
    if not held.update(**_counts(contact_import, chunk, outcome), updated_at=timezone.now()):
        raise Overtaken
    if outcome.rejections:
        RejectedRows.objects.create(
            contact_import=contact_import,
            first_row=outcome.rejections[0].row,
            rows=[list(rejection) for rejection in outcome.rejections],
        )
    changed = outcome.changed
    if actor is not None:
        _record(contact_import, chunk, outcome, actor)
    if changed:
        assert contact_import.account_id is not None
        forget = partial(contact_cache.forget_all, contact_import.account_id, [person.id for person in changed])
        forget()
        transaction.on_commit(forget)


def _record(contact_import: ContactImport, chunk: Prepared, outcome: Outcome, actor: Actor) -> None:
    audit.record(
        "contact.imported",
        actor=actor,
        entity=contact_import,
        label=contact_import.file_name,
        changes={
            "rows": f"{chunk.first_row:,}–{chunk.last_row:,}",
            "added": len(outcome.added),
            "merged": outcome.merged,
            "unchanged": outcome.unchanged,
            "rejected": len(outcome.rejections),
            "contacts_added": [str(person.id) for person in outcome.added],
            "contacts_changed": {str(person.id): _difference(person) for person in outcome.changed},
        },
    )


def _difference(person: Person) -> dict[str, list[Any]]:
    before = person.before or person.values
    return {
        name: [_shown(old), _shown(new)]
        for name, old, new in zip(ContactValues._fields, before, person.values, strict=True)
        if old != new
    }


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _finish(contact_import: ContactImport, actor: Actor | None) -> None:
    ContactImport.objects.filter(pk=contact_import.pk).update(finished_at=timezone.now(), upload_id=None)
    if actor is not None:
        counts, label = contact_import.counts, contact_import.file_name
        audit.record("contact_import.finished", actor=actor, entity=contact_import, label=label, changes=counts)
    account_id, upload_id = contact_import.account_id, contact_import.upload_id
    if account_id is not None and upload_id is not None:
        transaction.on_commit(lambda: uploads.destroy(account_id, upload_id))


def _reader(contact_import: ContactImport, form: Format, file: Any) -> RowReader:
    region = contact_import.default_region or None
    columns = {
        field: position for position, column in enumerate(form.columns) if (field := _field(contact_import, column))
    }
    position = columns.get("last_activity_at")
    sample = (
        []
        if position is None
        else [row.cells[position] for row in islice(rows(file, form), _SAMPLE_ROWS) if not row.fault]
    )
    return RowReader(
        form.columns,
        contact_import.mapping,
        default_region=region,
        day_first=is_day_first(sample, region),
        now=contact_import.started_at or timezone.now(),
    )


def _field(contact_import: ContactImport, column: str) -> str:
    field: str = contact_import.mapping.get(column, "")
    return field


def _actor(contact_import: ContactImport) -> Actor:
    """Who started it, as the audit trail names them: the work is theirs, whichever process does it."""
    who = contact_import.started_by or {"kind": "system", "id": None, "label": "import", "role": None, "user_id": None}
    role = Role(who["role"]) if who["role"] else None
    return Actor(who["kind"], _uuid(who["id"]), who["label"], role, _uuid(who["user_id"]))


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _context(contact_import: ContactImport) -> RequestContext:
    who = contact_import.started_by or {}
    return RequestContext(who.get("request_id", ""), who.get("ip"), who.get("user_agent", ""))


@contextmanager
def _steady_memory() -> Iterator[None]:
    """Keep the collector from walking the whole process again and again while millions of cells come and go."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
