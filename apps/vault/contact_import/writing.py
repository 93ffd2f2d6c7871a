"""Contacts in and out of their table by the thousand, encrypted, through row security.

``COPY`` into the table itself is refused under row security, and Django's bulk methods spend most of their time
building SQL text. Here whole columns go to the server as binary arrays and are unfolded there (``unnest``):
one statement for a chunk, no temporary table, the policy checked for every row.

This is raw SQL on an owned table, so wall one is written out: every statement names the account of the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.db import connection

from apps.accounts.tenancy.scope import NoScope, current_account_id
from apps.vault.contact_import.matching import KEYS, NORMALISED, Indexes, Person
from apps.vault.contact_import.rows import ContactValues
from apps.vault.fields import associated_data, open_columns
from apps.vault.keys import INDEX_BYTES, account_keys
from apps.vault.models import Contact

ENCRYPTED = ("name", "email", "phone", "identifier", "custom_attributes")
_TABLE = Contact._meta.db_table


class Overtaken(RuntimeError):
    """Somebody else wrote one of these contacts meanwhile: roll back and look again."""


def _account() -> UUID:
    account_id = current_account_id()
    if account_id is None:
        raise NoScope("Contacts are imported inside tenant(account).")
    return account_id


def _run(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run ``sql`` with parameters bound by the server, arrays in binary. Returns its rows."""
    connection.ensure_connection()
    assert connection.connection is not None
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, params)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def only_import_of_account() -> None:
    """Wait until no other import of this account is inside a chunk: two lists then can't lock each other's rows."""
    _run("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"contacts.import {_account()}")


def fetch(indexes: Sequence[Sequence[bytes]], *, since: datetime) -> list[Person]:
    """Every contact that carries one of the indexes, given per key in the order of ``KEYS``.

    ``since`` is when the import began: contacts younger than that came from the file itself, or nearly so.
    """
    account_id = _account()
    found: dict[UUID, tuple[Any, ...]] = {}
    for name, wanted in zip(KEYS, indexes, strict=True):
        if wanted:
            for row in _run(_LOOK_UP.format(key=name), account_id, wanted):
                found[row[0]] = row
    positions = dict(enumerate(ENCRYPTED, start=1))
    return [_person(row, since) for row in open_columns(Contact, account_id, list(found.values()), positions)]


# The account stands in a sub-select so that the planner does not look it up in its statistics: an account that is
# being filled is not in them, would pass for empty, and all of it would be read for every chunk.
_THIS_ACCOUNT = "account_id = (SELECT %b::uuid)"
_LOOK_UP = (
    f"SELECT id, {', '.join(ENCRYPTED)}, contact_type, last_activity_at, updated_at, created_at, "  # noqa: S608
    f"email_index, phone_index, identifier_index FROM {_TABLE} WHERE {_THIS_ACCOUNT} AND {{key}}_index = ANY(%b)"
)


def _person(row: list[Any], since: datetime) -> Person:
    contact_id, name, email, phone, identifier, attributes, kind, last_activity_at, seen_at, created_at, *indexes = row
    values = ContactValues(name, email, phone, identifier, kind, last_activity_at, attributes or {})
    person = Person(contact_id, values, tuple(indexes), seen_at=seen_at)  # type: ignore[arg-type]
    person.of_this_file = created_at >= since
    return person


class Sealer:
    """Blind indexes and encryption for one account, without touching the database: usable while it works."""

    def __init__(self) -> None:
        self._account_id = _account()
        self._keys = account_keys(self._account_id)
        self.rotating = len(self._keys.index.all()) > 1
        self._compute = self._keys.index.primary().compute
        self._places = {name: f"{_TABLE}.{name}\0".encode() for name in KEYS}
        self._prefixes = [associated_data(_TABLE, name, self._account_id, UUID(int=0))[:-16] for name in ENCRYPTED]

    def index_columns(self, contacts: Sequence[ContactValues]) -> list[Indexes]:
        """The blind indexes of e-mail, phone and identifier of each contact under the current key."""
        compute = self._compute
        columns: list[list[bytes | None]] = []
        for position, (name, normalised) in enumerate(NORMALISED.items(), start=1):
            place = self._places[name]
            texts: list[Any] = [values[position] for values in contacts]
            columns.append(
                [
                    compute(place + compared.encode(), INDEX_BYTES) if text and (compared := normalised(text)) else None
                    for text in texts
                ]
            )
        return list(zip(*columns, strict=True))  # type: ignore[arg-type]

    def older(self, values: ContactValues) -> tuple[list[bytes], ...]:
        """The indexes under keys that are being rotated out; empty when none is."""
        if not self.rotating:
            return ()
        return tuple(
            self._keys.blind_indexes(self._places[name][:-1], compared)[1:]
            if (text := getattr(values, name)) and (compared := normalised(text))
            else []
            for name, normalised in NORMALISED.items()
        )

    def seal(self, ids: Sequence[UUID], contacts: Sequence[ContactValues]) -> list[tuple[bytes | None, ...]]:
        """The encrypted columns of each contact, in the order of ``ENCRYPTED``: one flat loop for each column."""
        encrypt = self._keys.aead.encrypt
        rows = [contact_id.bytes for contact_id in ids]
        columns: list[list[bytes | None]] = []
        for position, prefix in enumerate(self._prefixes[:-1]):
            texts: list[Any] = [values[position] for values in contacts]
            columns.append(
                [
                    None if text is None else encrypt(text.encode(), prefix + row)
                    for text, row in zip(texts, rows, strict=True)
                ]
            )
        prefix = self._prefixes[-1]
        columns.append(
            [
                encrypt(orjson.dumps(held), prefix + row) if (held := values.custom_attributes) else None
                for values, row in zip(contacts, rows, strict=True)
            ]
        )
        return list(zip(*columns, strict=True))


_COLUMN_TYPES = {
    "id": "uuid",
    **dict.fromkeys(ENCRYPTED, "bytea"),
    **dict.fromkeys([f"{name}_index" for name in KEYS], "bytea"),
    "contact_type": "text",
    "last_activity_at": "timestamptz",
}


def _columns(people: Sequence[Person], sealer: Sealer, now: datetime) -> dict[str, list[Any]]:
    unsealed = [person for person in people if person.sealed is None]
    made = sealer.seal([person.id for person in unsealed], [person.values for person in unsealed])
    for person, sealed in zip(unsealed, made, strict=True):
        person.sealed = sealed
    encrypted = zip(*(person.sealed or () for person in people), strict=True)
    indexes = zip(*(person.indexes for person in people), strict=True)
    return {
        "id": [person.id for person in people],
        **{name: list(column) for name, column in zip(ENCRYPTED, encrypted, strict=True)},
        **{f"{name}_index": list(column) for name, column in zip(KEYS, indexes, strict=True)},
        "contact_type": [person.values.contact_type or Contact.Type.LEAD.value for person in people],
        "last_activity_at": [person.values.last_activity_at or now for person in people],
    }


def _unnest(columns: dict[str, list[Any]], extra: str = "") -> str:
    arrays = ", ".join(f"%b::{_COLUMN_TYPES[name]}[]" for name in columns)
    return f"unnest({arrays}{extra})"


def insert(people: Sequence[Person], sealer: Sealer, now: datetime, *, meanwhile: Callable[[], None]) -> None:
    """Add new contacts; ``meanwhile`` runs here while the server writes.

    Raises Overtaken when one of their keys was taken meanwhile.
    """
    if not people:
        meanwhile()
        return
    columns = _columns(people, sealer, now)
    names = ", ".join(columns)
    connection.ensure_connection()
    assert connection.connection is not None
    with psycopg.Cursor(connection.connection) as cursor:
        # In pipeline mode execute() sends and returns; the answer is waited for when the block ends.
        with connection.connection.pipeline():
            cursor.execute(
                f"WITH added AS (INSERT INTO {_TABLE} (account_id, created_at, updated_at, {names}) "  # noqa: S608
                f"SELECT %b, %b, %b, * FROM {_unnest(columns)} ON CONFLICT DO NOTHING RETURNING 1) "
                "SELECT count(*) FROM added",
                (_account(), now, now, *columns.values()),
            )
            meanwhile()
        written = cursor.fetchone()
    if written is None or written[0] != len(people):
        raise Overtaken


def update(people: Sequence[Person], sealer: Sealer, now: datetime) -> None:
    """Write changed contacts over what was read. Raises Overtaken when one was changed or its key taken meanwhile."""
    if not people:
        return
    _free_exchanged_keys(people)
    columns = _columns(people, sealer, now)
    assignments = ", ".join(f"{name} = fresh.{name}" for name in columns if name != "id")
    # Hash join or merge: a planner that takes the account for empty would compare every row with every other.
    _run("SELECT set_config('enable_nestloop', 'off', true)")
    try:
        written = _run(
            f"WITH changed AS (UPDATE {_TABLE} AS contact SET updated_at = %b, {assignments} "  # noqa: S608
            f"FROM {_unnest(columns, ', %b::timestamptz[]')} AS fresh ({', '.join(columns)}, seen_at) "
            f"WHERE contact.{_THIS_ACCOUNT} AND contact.id = ANY(%b) AND contact.id = fresh.id "
            "AND contact.updated_at = fresh.seen_at RETURNING 1) SELECT count(*) FROM changed",
            now,
            *columns.values(),
            [person.seen_at for person in people],
            _account(),
            columns["id"],
        )
    except psycopg.errors.UniqueViolation as error:
        raise Overtaken from error
    _run("SELECT set_config('enable_nestloop', 'on', true)")
    if written[0][0] != len(people):
        raise Overtaken


def _free_exchanged_keys(people: Sequence[Person]) -> None:
    """When one contact takes a key that another gives up, let go of all changed keys first.

    Uniqueness is checked row by row, so an exchange in one statement would collide with itself.
    """
    given_up = {index for person in people for index in person.before_indexes or () if index is not None}
    taken = {
        index
        for person in people
        for index, old in zip(person.indexes, person.before_indexes or (), strict=False)
        if index != old
    }
    if not given_up & taken:
        return
    _run(
        f"UPDATE {_TABLE} SET email_index = NULL, phone_index = NULL, identifier_index = NULL "  # noqa: S608
        f"WHERE {_THIS_ACCOUNT} AND id = ANY(%b)",
        _account(),
        [person.id for person in people],
    )
