"""Contacts for the bench: the same rows sealed behind both walls and in plaintext in the twin."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from apps.accounts.identifiers import uuid7
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import ACCOUNT_WALL, tenant
from apps.vault.fields import SealedValue
from apps.vault.models import Contact
from tests.bench.bulk import insert
from tests.bench.twin.models import PlainContact

_FIRST = [
    "Ann",
    "Ben",
    "Cleo",
    "Dara",
    "Eve",
    "Finn",
    "Gita",
    "Hugo",
    "Iris",
    "Jon",
    "Kaya",
    "Liam",
    "Mona",
    "Noor",
    "Omar",
    "Pia",
    "Quin",
    "Rosa",
    "Sven",
    "Tara",
]
_LAST = [
    "Abbott",
    "Berger",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Larsen",
    "Moreau",
]
_START = datetime(2026, 1, 1, tzinfo=UTC)


def contact_values(number: int) -> dict[str, Any]:
    """Contact ``number``: four fields to encrypt, two of them indexed (the identifier stays empty)."""
    source = random.Random(number)
    first, last = source.choice(_FIRST), source.choice(_LAST)
    return {
        "name": f"{first} {last}",
        "email": f"{first}.{last}.{number}@mail{number % 50}.example".lower(),
        "phone": f"+4477{number:08d}",
        "custom_attributes": {"plan": source.choice(["free", "team", "company"]), "seats": number % 40, "city": last},
        # In another order than they were added in, as in life.
        "last_activity_at": _START + timedelta(seconds=source.randrange(20_000_000)),
    }


_SEALED = ("name", "email", "phone", "custom_attributes")
_COLUMNS = {
    Contact._meta.db_table: f"id account_id created_at updated_at {' '.join(_SEALED)} email_index phone_index "
    "contact_type last_activity_at",
    PlainContact._meta.db_table: f"id company_id created_at updated_at {' '.join(_SEALED)} contact_type "
    "last_activity_at",
}


def fill(account: Account, numbers: range, *, batch: int = 5000) -> None:
    """The same contacts in both tables."""
    for start in range(numbers.start, numbers.stop, batch):
        _fill(account, range(start, min(start + batch, numbers.stop)))


def _fill(account: Account, numbers: range) -> None:
    now = datetime.now(UTC)
    sealed, plain = [], []
    with tenant(account):
        for number in numbers:
            values, key = contact_values(number), uuid7()
            row = Contact(id=key, account_id=account.id, **values)
            cipher = [_seal(row, name, values[name]) for name in _SEALED]
            blind = [_index(account.id, f"{name}_index", values[name]) for name in ("email", "phone")]
            when = values["last_activity_at"]
            sealed.append([key, account.id, now, now, *cipher, *blind, "lead", when])
            texts = [values["name"], values["email"], values["phone"], Jsonb(values["custom_attributes"])]
            plain.append([key, account.id, now, now, *texts, "lead", when])
    for table, rows in ((Contact._meta.db_table, sealed), (PlainContact._meta.db_table, plain)):
        insert(table, _COLUMNS[table], rows, ACCOUNT_WALL, account.id)


def _seal(row: Contact, name: str, value: Any) -> bytes:
    field: Any = Contact._meta.get_field(name)
    sealed: SealedValue = field.seal(row, value)
    return bytes(sealed)


def _index(account_id: UUID, name: str, value: str) -> bytes | None:
    field: Any = Contact._meta.get_field(name)
    found: bytes | None = field.index(account_id, value)
    return found
