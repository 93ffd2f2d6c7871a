"""Ciphertexts and their places: what binds a value to account, table, column and row."""

from __future__ import annotations

import logging
from collections.abc import Container
from typing import Any
from uuid import UUID

from django.db import models

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.vault.keys import NAME_BYTES, NOT_HERE, CipherError, DecryptionFailed, account_keys

logger = logging.getLogger(__name__)


class SealedValue(bytes):
    """A ciphertext as it lies in the database. Never prints itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__


def associated_data(table: str, column: str, account_id: UUID, row_id: UUID) -> bytes:
    """What binds a ciphertext to its place. Unambiguous: the ids have a fixed length, names hold no NUL."""
    return f"{table}.{column}\0".encode() + account_id.bytes + row_id.bytes


def note_failure(model: type[models.Model], name: str, row_id: UUID) -> None:
    """Write down which value did not open: in the log, and in the trail of the scope.

    As a refusal, because what was to be done with the value is undone by the exception that follows.
    """
    place = f"{model._meta.label}.{name}"
    logger.error("%s of row %s does not decrypt.", place, row_id)
    actor = Actor.system("vault")
    audit.record_refusal("vault.decryption_failed", actor=actor, label=place, changes={"row": str(row_id)})


def open_columns(
    model: type[models.Model],
    account_id: UUID,
    rows: list[tuple[Any, ...]],
    columns: dict[int, str],
    id_at: int = 0,
    raw: Container[int] = (),
) -> list[list[Any]]:
    """Decrypt whole columns of ``values_list`` rows in one flat loop: the fast way to read a page.

    ``columns`` maps a position in the row to the encrypted field there; ``id_at`` is the position of the row's id.
    Positions in ``raw`` give the decrypted bytes as they are (UTF-8 text, JSON).
    Returns rows as lists with plaintext in those positions. Raises DecryptionFailed.
    """
    keys, owner = account_keys(account_id), account_id.bytes
    openers, decrypt = keys.openers, keys.aead.decrypt
    plan = []
    for position, name in columns.items():
        field: Any = model._meta.get_field(name)
        place = f"{model._meta.db_table}.{field.column}\0".encode() + owner
        plan.append((position, place, None if position in raw else field.load))
    opened = []
    for row in rows:
        values = list(row)
        row_id = values[id_at].bytes
        for position, prefix, load in plan:
            sealed = values[position]
            if sealed is not None:
                try:
                    plain = openers[sealed[:NAME_BYTES]](sealed[NAME_BYTES:], prefix + row_id)
                except Exception:
                    try:
                        plain = decrypt(sealed, prefix + row_id)
                    except CipherError as error:
                        note_failure(model, columns[position], values[id_at])
                        raise DecryptionFailed(NOT_HERE) from error
                values[position] = plain if load is None else load(plain)
        opened.append(values)
    return opened


def open_column(
    model: type[models.Model], account_id: UUID, name: str, rows: list[tuple[UUID, bytes]]
) -> list[tuple[UUID, Any]]:
    """The same for one column beside the id, where every microsecond counts. Raises DecryptionFailed."""
    field: Any = model._meta.get_field(name)
    openers, load = account_keys(account_id).openers, field.load
    place = f"{model._meta.db_table}.{field.column}\0".encode() + account_id.bytes
    try:
        return [
            (row_id, load(openers[sealed[:NAME_BYTES]](sealed[NAME_BYTES:], place + row_id.bytes)))
            for row_id, sealed in rows
        ]
    except Exception:  # the long way knows which, and what to do about it
        return [(row_id, value) for row_id, value in open_columns(model, account_id, rows, {1: name})]  # type: ignore[arg-type]
