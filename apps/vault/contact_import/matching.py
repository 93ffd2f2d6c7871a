"""Which contact a row is about: nobody yet, somebody known, or two people at once.

Rows are matched by the blind indexes of e-mail, phone and identifier, against the account's contacts and
against the rows before them. The rules of merging, which docs/contacts-import.md tells people:

* an empty cell never erases anything;
* name, e-mail, phone, type and each attribute: what the file says replaces what was there;
* identifier: fills an empty one; a different one means a different customer, so the row is rejected;
* last activity: the later one stays;
* a row whose e-mail, phone or identifier point at different contacts is rejected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from apps.vault import normalise
from apps.vault.contact_import.rejections import Rejection
from apps.vault.contact_import.rows import ContactValues, attributes_size
from apps.vault.contact_values import MAX_ATTRIBUTES_BYTES

KEYS = ("email", "phone", "identifier")
_KEY_WORDS = {"email": "E-mail", "phone": "Phone", "identifier": "Identifier"}
NORMALISED = {"email": normalise.email, "phone": normalise.phone, "identifier": normalise.identifier}

Indexes = tuple[bytes | None, bytes | None, bytes | None]
_NOBODY = [None, None, None]


class ReadRow(NamedTuple):
    """A sound row: its number, its cells as they were, what it says, and its blind indexes under the current key.

    ``older`` are its indexes under keys being rotated out. ``id`` and ``sealed`` (the encrypted columns) are made
    ahead, for the case that the row is a new contact.
    """

    number: int
    cells: list[str]
    values: ContactValues
    indexes: Indexes
    older: tuple[list[bytes], ...]
    id: UUID | None
    sealed: tuple[bytes | None, ...] | None


@dataclass(slots=True)
class Person:
    """A contact as it stands while a chunk is worked through. ``seen_at`` is None for one that is new."""

    id: UUID
    values: ContactValues
    indexes: Indexes
    seen_at: datetime | None = None
    before: ContactValues | None = None
    before_indexes: Indexes | None = None
    row: int | None = None
    of_this_file: bool = False
    sealed: tuple[bytes | None, ...] | None = None

    @property
    def is_new(self) -> bool:
        return self.seen_at is None

    @property
    def is_changed(self) -> bool:
        return self.before is not None and self.before != self.values

    @property
    def named(self) -> str:
        """How a reason names this contact to people of the account."""
        if self.row is not None:
            return f"row {self.row:,} of this file"
        return self.values.identifier or self.values.name or self.values.email or self.values.phone or "another contact"


@dataclass(slots=True)
class Outcome:
    """What becomes of a chunk."""

    added: list[Person] = field(default_factory=list)
    merged: int = 0
    unchanged: int = 0
    touched: dict[UUID, Person] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def changed(self) -> list[Person]:
        """Contacts of the account that end up different."""
        return [person for person in self.touched.values() if not person.is_new and person.is_changed]


class Matcher:
    """Works through the rows of one chunk in order.

    ``people`` are the account's contacts that any row of the chunk may be about, with every index each of them
    carries; ``new_id`` makes the id of a new contact; ``merge`` False reports duplicates instead.
    """

    def __init__(self, people: Iterable[Person], *, merge: bool, new_id: Any) -> None:
        self._known: dict[bytes, Person] = {}
        self._merge, self._new_id = merge, new_id
        self.outcome = Outcome()
        for person in people:
            self._learn(person, person.indexes)

    def _learn(self, person: Person, indexes: Indexes) -> None:
        for index in indexes:
            if index is not None:
                self._known[index] = person

    def _find(self, row: ReadRow) -> list[Person | None]:
        """Whom e-mail, phone and identifier point at, in the order of KEYS."""
        known = self._known.get
        found = [known(index) if index is not None else None for index in row.indexes]
        for position, indexes in enumerate(row.older):
            if found[position] is None:
                found[position] = next((person for index in indexes if (person := known(index)) is not None), None)
        return found

    def take(self, row: ReadRow) -> None:
        """Decide what becomes of ``row``."""
        found = self._find(row)
        if found == _NOBODY:
            person = Person(
                row.id or self._new_id(), row.values, row.indexes, row=row.number, of_this_file=True, sealed=row.sealed
            )
            self.outcome.added.append(person)
            self._learn(person, row.indexes)
            return
        people = {person.id: person for person in found if person is not None}
        if len(people) > 1:
            self._reject(row, _torn(found))
        else:
            (person,) = people.values()
            self._meet(row, person, found)

    def _meet(self, row: ReadRow, person: Person, found: list[Person | None]) -> None:
        said, stands = row.values, person.values
        merged = _merged(stands, said)
        if not self._merge and (person.of_this_file or merged != stands):
            key = next(name for name, match in zip(KEYS, found, strict=True) if match is not None)
            self._reject(row, f"{_KEY_WORDS[key]} is already used by {person.named}.")
        elif said.identifier and stands.identifier and not _same("identifier", said.identifier, stands.identifier):
            self._reject(row, _another_customer(said.identifier, stands.identifier, found))
        elif merged == stands:
            self.outcome.unchanged += 1
        elif merged.custom_attributes is not stands.custom_attributes and _too_large(merged.custom_attributes):
            words = f"With this row, {person.named} would have more than {MAX_ATTRIBUTES_BYTES:,} bytes of attributes."
            self._reject(row, f"{words} Leave columns out.")
        else:
            self._change(row, person, merged)

    def _change(self, row: ReadRow, person: Person, merged: ContactValues) -> None:
        if person.before is None and not person.is_new:
            person.before, person.before_indexes = person.values, person.indexes
        for position, name in enumerate(KEYS):
            fresh, stale = row.indexes[position], person.indexes[position]
            if fresh is not None and getattr(merged, name) != getattr(person.values, name):
                if stale is not None and self._known.get(stale) is person:
                    del self._known[stale]
                self._known[fresh] = person
                person.indexes = (*person.indexes[:position], fresh, *person.indexes[position + 1 :])  # type: ignore[assignment]
        person.values, person.sealed = merged, None
        self.outcome.touched[person.id] = person
        self.outcome.merged += 1

    def _reject(self, row: ReadRow, reason: str) -> None:
        self.outcome.rejections.append(Rejection(row.number, row.cells, reason))


def _another_customer(said: str, stands: str, found: list[Person | None]) -> str:
    keys = " and ".join(_KEY_WORDS[name].lower() for name, match in zip(KEYS, found, strict=True) if match)
    return (
        f'Identifier "{said}" differs from "{stands}" of the contact with this {keys}. '
        "Correct one of them, or give the contact another e-mail or phone."
    )


def _torn(found: list[Person | None]) -> str:
    owners = [f"{_KEY_WORDS[name].lower()} of {match.named}" for name, match in zip(KEYS, found, strict=True) if match]
    return f"The row has the {', the '.join(owners[:-1])} and the {owners[-1]}. Keep what belongs to one contact."


def _too_large(attributes: dict[str, Any]) -> bool:
    return attributes_size(attributes) > MAX_ATTRIBUTES_BYTES


def _same(name: str, one: str, other: str) -> bool:
    return NORMALISED[name](one) == NORMALISED[name](other)


def _merged(stands: ContactValues, said: ContactValues) -> ContactValues:
    """``stands`` with what the row says; the very same object when that changes nothing."""
    changes: dict[str, Any] = {}
    for name in ("name", "contact_type"):
        value = getattr(said, name)
        if value is not None and value != getattr(stands, name):
            changes[name] = value
    for name in KEYS:
        value, old = getattr(said, name), getattr(stands, name)
        if value is not None and (old is None or not _same(name, value, old)):
            changes[name] = value
    if said.last_activity_at is not None and (
        stands.last_activity_at is None or said.last_activity_at > stands.last_activity_at
    ):
        changes["last_activity_at"] = said.last_activity_at
    attributes = stands.custom_attributes or {}
    news = {key: value for key, value in said.custom_attributes.items() if _text_of(attributes.get(key)) != value}
    if news:
        changes["custom_attributes"] = {**attributes, **news}
    return stands._replace(**changes) if changes else stands


def _text_of(value: Any) -> str | None:
    """A stored attribute as a file would write it, so that 5 and "5" are no difference."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
