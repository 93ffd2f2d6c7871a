"""Which column of a file becomes which field of a contact.

A mapping is a dictionary ``{column: field}``. A field is one of ``FIELDS``, ``attribute:<key>`` for a custom
attribute, or ``leave_out``. ``guess`` proposes one from the header's words and from the values; what
people give instead is checked by ``resolve``, which names every contradiction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from apps.vault.contact_import.dialects import EMAIL
from apps.vault.contact_import.header_words import header_score, plain

FIELDS = {
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
    "phone": "Phone",
    "identifier": "Identifier",
    "contact_type": "Type",
    "last_activity_at": "Last activity",
}
LEAVE_OUT = "leave_out"
ATTRIBUTE = "attribute:"
MAX_KEY_LENGTH = 60
# The two columns that a file of rejected rows has at its end; corrected and imported again, they are no data.
REJECTION_COLUMNS = ("row", "reason")

_PHONE = re.compile(r"[+(]?\d[\d\s()./-]{6,}(?:\s*(?:x|ext\.?|#)\s*\d+)?", re.IGNORECASE)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}.*|\d{10}(?:\d{3})?")
_PERSON = re.compile(r"[^\W\d_][^\d@_/\\]*\s[^\d@_/\\]*[^\W\d_]\.?")


class Contradiction(NamedTuple):
    """One fault of a given mapping: ``column`` (or "" for the whole), a stable ``code``, and ``words``."""

    column: str
    code: str
    words: str


class MappingRefused(ValueError):
    """The mapping contradicts itself or the file. ``contradictions`` names every fault."""

    def __init__(self, contradictions: Sequence[Contradiction]) -> None:
        super().__init__(" ".join(found.words for found in contradictions))
        self.contradictions = list(contradictions)


def label(field: str) -> str:
    """A field as people read it: "E-mail", "Attribute: move_in", "Leave out"."""
    if field == LEAVE_OUT:
        return "Leave out"
    return f"Attribute: {field.removeprefix(ATTRIBUTE)}" if field.startswith(ATTRIBUTE) else FIELDS[field]


def guess(columns: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[str, str]:
    """A mapping for ``columns`` from their names and the first rows. It never contradicts itself."""
    values = {column: _filled(sample, index) for index, column in enumerate(columns)}
    scores = [
        (score, -index, field, column)
        for index, column in enumerate(columns)
        for field in FIELDS
        if (score := _score(field, column, values[column])) > 0
    ]
    found: dict[str, str] = {}
    for _, _, field, column in sorted(scores, reverse=True):
        if column not in found and field not in found.values() and not _contradicts(field, found.values()):
            found[column] = field
    _settle_names(columns, found)
    return _with_attributes(columns, values, found)


def resolve(columns: Sequence[str], guessed: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The guessed mapping with what people gave in its place, in the order of the columns.

    A guess gives way to the same field given for another column. Raises MappingRefused.
    """
    faults = [
        Contradiction(column, "unknown_column", f"The file has no column “{column}”.")
        for column in given
        if column not in columns
    ]
    faults += [
        Contradiction(column, "unknown_field", f"“{field}” is no field of a contact. Use one of {_choices()}.")
        for column, field in given.items()
        if not is_field(field)
    ]
    if faults:
        raise MappingRefused(faults)
    taken = set(given.values())
    mapping: dict[str, str] = {}
    for column in columns:
        field = given.get(column) or guessed.get(column, LEAVE_OUT)
        if column not in given and (field in taken or _contradicts(field, taken)):
            field = _free_attribute(column, {*taken, *mapping.values(), *guessed.values()})
        mapping[column] = field
    contradictions = check(mapping)
    if contradictions:
        raise MappingRefused(contradictions)
    return mapping


def check(mapping: Mapping[str, str]) -> list[Contradiction]:
    """Every way in which ``mapping`` contradicts itself."""
    faults: list[Contradiction] = []
    first: dict[str, str] = {}
    for column, field in mapping.items():
        if field != LEAVE_OUT and field in first:
            words = f"“{first[field]}” and “{column}” both become {label(field)}. Choose one of them."
            faults.append(Contradiction(column, "mapped_twice", words))
        first.setdefault(field, column)
    for part in ("first_name", "last_name"):
        if part in first and "name" in first:
            words = (
                f"“{first['name']}” is the whole name already, so “{first[part]}” can't be {label(part).lower()} too."
            )
            faults.append(Contradiction(first[part], "name_twice", words))
    if not {"email", "phone", "identifier"}.intersection(first):
        words = "No column becomes an e-mail, phone or identifier. Choose at least one, so that nobody is added twice."
        faults.append(Contradiction("", "no_key", words))
    return faults


def is_field(field: str) -> bool:
    """Is this a field a column can become?"""
    if field in FIELDS or field == LEAVE_OUT:
        return True
    key = field.removeprefix(ATTRIBUTE)
    return key != field and bool(re.fullmatch(rf"\w[\w .-]{{0,{MAX_KEY_LENGTH - 1}}}", key))


def attribute_key(column: str) -> str:
    """The key of the custom attribute a column becomes: "Move-in" is kept under "move_in"."""
    words = unicodedata.normalize("NFKC", plain(column)).replace(" ", "_")
    return words[:MAX_KEY_LENGTH].strip("_") or "column"


def _choices() -> str:
    return ", ".join([*FIELDS, f"{ATTRIBUTE}…", LEAVE_OUT])


def _filled(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    return [row[index].strip() for row in sample if index < len(row) and row[index].strip()]


def _score(field: str, column: str, values: list[str]) -> float:
    """How well the column fits the field: header and values must not contradict one another."""
    words = header_score(field, column)
    if not values:
        return words * 0.5
    if field == "email":
        share = _share(EMAIL, values)
        return max(words, 0.6) + share if share > 0.5 else (words if share > 0.1 else words * 0.2)
    if field == "phone":
        share = _share(_PHONE, values)
        if words:
            return words + share * 0.5 if share > 0.3 else words * 0.3
        return 0.55 if share > 0.9 and _looks_dialled(values) else 0.0
    if field == "last_activity_at":
        return words if words and _share(_DATE, values) > 0.5 else 0.0
    if field == "name":
        if words:
            return words if _share(EMAIL, values) < 0.5 and _share(_PHONE, values) < 0.5 else 0.0
        return 0.4 if column.startswith("Column ") and _share(_PERSON, values) > 0.7 else 0.0
    return words if _share(EMAIL, values) < 0.5 or field == "identifier" else 0.0


def _share(pattern: re.Pattern[str], values: list[str]) -> float:
    return sum(1 for value in values if pattern.fullmatch(value)) / len(values)


def _looks_dialled(values: list[str]) -> bool:
    """Numbers written for a telephone (a plus, a leading zero, groups), not plain ids or amounts."""
    dialled = sum(1 for value in values if value[0] in "+0(" or " " in value or value.count("-") >= 2)
    return dialled > len(values) * 0.7 and _share(_DATE, values) < 0.5


def _contradicts(field: str, taken: object) -> bool:
    fields = set(taken)  # type: ignore[call-overload]
    if field == "name":
        return bool(fields & {"first_name", "last_name"})
    return field in ("first_name", "last_name") and "name" in fields


def _settle_names(columns: Sequence[str], found: dict[str, str]) -> None:
    """Parts of a name beat the whole; beside one part a bare "Name" is the other ("Vorname; Name", "Nome; Cognome")."""
    whole = next((column for column, field in found.items() if field == "name"), None)
    if whole is None:
        return
    parts: dict[str, str] = {}
    for part in ("first_name", "last_name"):
        sure = [column for column in columns if column != whole and header_score(part, column) > 0.85]
        if sure and found.get(sure[0]) in (None, part):
            parts[part] = sure[0]
    if len(parts) == 1 and " " not in plain(whole):
        (missing,) = {"first_name", "last_name"} - set(parts)
        parts[missing] = whole
    if len(parts) == 2:
        del found[whole]
        found.update({column: part for part, column in parts.items()})


def _with_attributes(
    columns: Sequence[str], values: Mapping[str, list[str]], found: Mapping[str, str]
) -> dict[str, str]:
    mapping: dict[str, str] = {}
    rejections = tuple(plain(column) for column in columns[-2:]) == REJECTION_COLUMNS
    for index, column in enumerate(columns):
        if (rejections and index >= len(columns) - 2) or (column not in found and not values[column]):
            mapping[column] = LEAVE_OUT
        else:
            mapping[column] = found.get(column) or _free_attribute(column, {*mapping.values(), *found.values()})
    return mapping


def _free_attribute(column: str, taken: set[str]) -> str:
    key = attribute_key(column)
    field, count = ATTRIBUTE + key, 1
    while field in taken:
        count += 1
        field = f"{ATTRIBUTE}{key}_{count}"
    return field
