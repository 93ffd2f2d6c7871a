"""One chunk of an import: so many rows, one transaction, one audit entry.

A chunk has two halves. ``prepare`` (checking, indexing, encrypting) needs no database and is done for the next
chunk while the server writes this one; ``work`` matches and writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.identifiers import uuid7, uuid7s
from apps.vault.contact_import import writing
from apps.vault.contact_import.matching import KEYS, Matcher, Outcome, ReadRow
from apps.vault.contact_import.records import Record
from apps.vault.contact_import.rejections import Rejection
from apps.vault.contact_import.rows import ContactValues, RowReader
from apps.vault.contact_import.writing import Sealer

CHUNK_ROWS = 4000


@dataclass(frozen=True)
class Prepared:
    """A chunk that is ready to be matched: how many rows it took from the file, the sound ones, the others."""

    rows: int
    first_row: int
    last_row: int
    sound: list[ReadRow]
    rejections: list[Rejection]
    expected_new: bool


class Once:
    """Calls a function the first time only."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        if function is not None:
            function()


def prepare(records: Sequence[Record], reader: RowReader, sealer: Sealer, *, expect_new: bool) -> Prepared:
    """Check and index ``records`` (at least one); with ``expect_new`` also encrypt them as new contacts."""
    sound: list[Record] = []
    contacts: list[ContactValues] = []
    rejections: list[Rejection] = []
    for record in records:
        number, cells, fault = record
        if fault is not None:
            rejections.append(Rejection(number, cells, fault.words))
            continue
        values = reader.read(cells)
        if isinstance(values, list):
            rejections.append(Rejection(number, cells, " ".join(error.words for error in values)))
        else:
            sound.append(record)
            contacts.append(values)
    ids: list[Any] = uuid7s(len(sound)) if expect_new else [None] * len(sound)
    sealed: list[Any] = sealer.seal(ids, contacts) if expect_new else [None] * len(sound)
    rows = [
        ReadRow(record.number, record.cells, values, indexes, sealer.older(values), contact_id, made)
        for record, values, indexes, contact_id, made in zip(
            sound, contacts, sealer.index_columns(contacts), ids, sealed, strict=True
        )
    ]
    return Prepared(len(records), records[0].number, records[-1].number, rows, rejections, expect_new)


def work(chunk: Prepared, sealer: Sealer, *, merge: bool, since: datetime, now: datetime, meanwhile: Once) -> Outcome:
    """Match and write ``chunk`` in the current scope; ``meanwhile`` is called while the server writes.

    Raises writing.Overtaken: roll back and repeat, with the same ``meanwhile``.
    """
    writing.only_import_of_account()
    outcome = _all_new(chunk, sealer, now, meanwhile) or _matched(chunk, sealer, merge, since, now, meanwhile)
    meanwhile()
    outcome.rejections = sorted([*chunk.rejections, *outcome.rejections])
    return outcome


def _all_new(chunk: Prepared, sealer: Sealer, now: datetime, meanwhile: Callable[[], None]) -> Outcome | None:
    """The quick way for a list of people nobody knows yet: add them all without looking, or none of them."""
    if not chunk.expected_new or sealer.rotating:
        return None
    matcher = Matcher([], merge=True, new_id=uuid7)
    for row in chunk.sound:
        matcher.take(row)
    outcome = matcher.outcome
    if len(outcome.added) != len(chunk.sound):
        return None
    try:
        with transaction.atomic():
            writing.insert(outcome.added, sealer, now, meanwhile=meanwhile)
    except writing.Overtaken:
        return None
    return outcome


def _matched(
    chunk: Prepared, sealer: Sealer, merge: bool, since: datetime, now: datetime, meanwhile: Callable[[], None]
) -> Outcome:
    people = writing.fetch([_indexes(chunk.sound, position) for position in range(len(KEYS))], since=since)
    matcher = Matcher(people, merge=merge, new_id=uuid7)
    for row in chunk.sound:
        matcher.take(row)
    outcome = matcher.outcome
    writing.update(outcome.changed, sealer, now)
    writing.insert(outcome.added, sealer, now, meanwhile=meanwhile)
    return outcome


def _indexes(sound: list[ReadRow], position: int) -> list[bytes]:
    current = [index for row in sound if (index := row.indexes[position]) is not None]
    return current + [index for row in sound if row.older for index in row.older[position]]
