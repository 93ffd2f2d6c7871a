"""A trail as a file: CSV for spreadsheets, JSON for programs, in pieces and in the order of events.

A report may be long and is sent while it is read, when the request's scope has ended. So it is a door of its own:
each piece is read in a scope that opens and closes within it. It is a snapshot all the same, because a trail only
grows and the report stops where the trail ended when it began.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import orjson

from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.audit.selectors import ANYTHING, Criteria, Line, entries_after, last_seq
from apps.vault.contact_import.rejections import neutralised
from apps.vault.keys.account_keys import PLATFORM_OWNER

PIECE = 1000
"""Entries read and decrypted at a time."""

COLUMNS = (
    "seq",
    "at",
    "action",
    "actor",
    "actor_kind",
    "actor_id",
    "entity_type",
    "entity_id",
    "entity",
    "changes",
    "ip",
    "user_agent",
    "request_id",
    "id",
    "hash",
)
"""Columns of the CSV, and keys of the JSON objects."""


def pieces(trail: UUID, criteria: Criteria) -> Iterator[list[Line]]:
    """The entries of ``trail`` that meet ``criteria``, oldest first. Raises DecryptionFailed."""
    with _scope(trail):
        upto = last_seq(trail)
    after = 0
    while after < upto:
        with _scope(trail):
            piece = entries_after(trail, criteria, after=after, upto=upto, limit=PIECE)
        if not piece:
            return
        yield piece
        after = piece[-1].seq


def _scope(trail: UUID) -> AbstractContextManager[Any]:
    return platform("read the platform's trail") if trail == PLATFORM_OWNER else tenant(trail)


def as_csv(trail: UUID, criteria: Criteria = ANYTHING) -> Iterator[str]:
    """The report as CSV in pieces: UTF-8 with a byte-order mark, formulas neutralised, changes as JSON."""
    out = io.StringIO()
    writer = csv.writer(out)
    out.write("\ufeff")
    writer.writerow(COLUMNS)
    for piece in pieces(trail, criteria):
        writer.writerows([_cell(name, value) for name, value in _named(line)] for line in piece)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def as_json(trail: UUID, criteria: Criteria = ANYTHING) -> Iterator[str]:
    """The report as one JSON array in pieces; one object a line."""
    separator = "[\n"
    for piece in pieces(trail, criteria):
        yield separator + ",\n".join(orjson.dumps(dict(_named(line))).decode() for line in piece)
        separator = ",\n"
    yield "\n]\n" if separator != "[\n" else "[]\n"


FORMATS: dict[str, Callable[[UUID, Criteria], Iterator[str]]] = {"csv": as_csv, "json": as_json}


def _named(line: Line) -> Iterator[tuple[str, Any]]:
    for name in COLUMNS:
        yield name, getattr(line, name)


def _cell(name: str, value: Any) -> str:
    if name == "changes":
        return orjson.dumps(value).decode() if value else ""
    if name == "at":
        return str(value.isoformat())
    return "" if value is None else neutralised(str(value))
