"""From the cells of one row to the values of one contact, or to every reason why not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from apps.vault.contact_import.mapping import ATTRIBUTE, LEAVE_OUT
from apps.vault.contact_import.times import parse_time
from apps.vault.contact_values import MAX_ATTRIBUTES_BYTES, MAX_LENGTHS
from apps.vault.models import Contact
from apps.vault.phones import NotAPhone, Phone, parse_phone

MAX_ATTRIBUTE_LENGTH = 10_000
# What the types are called elsewhere; any other word is kept as an attribute.
_TYPES = {
    **{kind: kind for kind in Contact.Type.values},
    **dict.fromkeys(
        ["client", "kunde", "kunden", "cliente", "klant", "kund", "klient", "renter", "buyer", "user"], "customer"
    ),
    **dict.fromkeys(["customers", "clients", "subscriber", "member", "customer/subscriber"], "customer"),
    **dict.fromkeys(
        ["prospect", "prospects", "leads", "interessent", "prospecto", "mql", "sql", "opportunity"], "lead"
    ),
    **dict.fromkeys(["visitors", "besucher", "visiteur", "visitante", "guest", "anonymous"], "visitor"),
    **dict.fromkeys(["partners", "supplier", "vendor", "lieferant", "reseller", "partenaire", "socio"], "partner"),
    **dict.fromkeys(["others", "sonstige", "autre", "otro", "altro", "misc"], "other"),
}
_TYPE_AS_WRITTEN = "contact_type"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_EXTENSION = "phone_extension"
# A spreadsheet writes long numbers like this, and the digits are gone.
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_NAMED_EMAIL = re.compile(r"[^<>@]*<([^<>\s]+@[^<>\s]+)>")
_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
_is_email = EmailValidator()


class RowError(NamedTuple):
    """One fault: the file's ``column``, a stable ``rule``, and ``words`` that say what to do."""

    column: str
    rule: str
    words: str


class ContactValues(NamedTuple):
    """What a row says about a contact; None (or an empty dictionary) where it says nothing."""

    name: str | None
    email: str | None
    phone: str | None
    identifier: str | None
    contact_type: str | None
    last_activity_at: datetime | None
    custom_attributes: dict[str, str]


_Step = tuple[int, str, str, Callable[[str], Any]]


class _Refused(Exception):
    def __init__(self, rule: str, words: str) -> None:
        super().__init__(words)
        self.rule = rule


def attributes_size(attributes: dict[str, Any]) -> int:
    """Bytes of the attributes as they are stored."""
    return len(orjson.dumps(attributes))


class RowReader:
    """Reads rows of one file under one mapping.

    ``default_region`` is the country of numbers without a country code (ISO 3166, or None); ``now`` bounds
    times of activity.
    """

    def __init__(
        self,
        columns: Sequence[str],
        mapping: Mapping[str, str],
        *,
        default_region: str | None,
        day_first: bool,
        now: datetime,
    ) -> None:
        self._region, self._day_first, self._latest = default_region, day_first, now + timedelta(days=1)
        readers: dict[str, Callable[[str], Any]] = {
            "name": _text("Name", "name"),
            "first_name": _text("First name", "name"),
            "last_name": _text("Last name", "name"),
            "email": _email,
            "phone": self._phone,
            "identifier": _identifier,
            "contact_type": _type,
            "last_activity_at": self._time,
        }
        self._plan: list[_Step] = [
            (index, column, mapping[column], readers[mapping[column]])
            for index, column in enumerate(columns)
            if mapping.get(column) in readers
        ]
        self._attributes: list[_Step] = [
            (index, column, mapping[column].removeprefix(ATTRIBUTE), _attribute)
            for index, column in enumerate(columns)
            if mapping.get(column, LEAVE_OUT).startswith(ATTRIBUTE)
        ]

    def read(self, cells: Sequence[str]) -> ContactValues | list[RowError]:
        """The row's values, or everything that is wrong with it."""
        errors: list[RowError] = []
        found = _read(self._plan, cells, errors)
        attributes = _read(self._attributes, cells, errors)
        phone = found.get("phone")
        if phone is not None:
            if phone.extension and _EXTENSION not in attributes:
                attributes[_EXTENSION] = phone.extension
            phone = phone.e164
        kind = found.get("contact_type")
        if kind is not None and kind not in _TYPES:
            attributes.setdefault(_TYPE_AS_WRITTEN, kind)
            kind = None
        name = found.get("name") or " ".join(filter(None, (found.get("first_name"), found.get("last_name")))) or None
        values = ContactValues(
            name, found.get("email"), phone, found.get("identifier"), kind and _TYPES[kind],
            found.get("last_activity_at"), attributes,
        )  # fmt: skip
        if name is not None and len(name) > MAX_LENGTHS["name"]:
            errors.append(RowError("", "too_long", _too_long("Name", name, MAX_LENGTHS["name"])))
        if (
            sum(map(len, attributes.values())) > MAX_ATTRIBUTES_BYTES // 8
            and attributes_size(attributes) > MAX_ATTRIBUTES_BYTES
        ):
            words = (
                f"The custom attributes of this row take more than {MAX_ATTRIBUTES_BYTES:,} bytes. Leave columns out."
            )
            errors.append(RowError("", "too_large", words))
        if not errors and values.email is None and phone is None and values.identifier is None:
            words = "The row has no e-mail, phone or identifier. Fill in one, so that the contact can be told apart."
            errors.append(RowError("", "no_key", words))
        return errors or values

    def _phone(self, text: str) -> Phone:
        if _SHORTENED.fullmatch(text):
            words = f'Phone "{text}" was shortened by a spreadsheet. Format the column as text and export it again.'
            raise _Refused("shortened_number", words)
        dialled = text.removeprefix("tel:").removesuffix(".0")
        try:
            return parse_phone(dialled, self._region)
        except NotAPhone as error:
            raise _Refused(error.code, _phone_words(error.code, text)) from None

    def _time(self, text: str) -> datetime:
        moment = parse_time(text, day_first=self._day_first)
        if moment is None:
            raise _Refused("not_a_time", f'Last activity "{_short(text)}" is not a date. Write it as 2026-12-01.')
        if moment > self._latest:
            raise _Refused("in_the_future", f'Last activity "{_short(text)}" is in the future. Check the year.')
        return moment


def _read(plan: Sequence[_Step], cells: Sequence[str], errors: list[RowError]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, column, key, reader in plan:
        text = cells[index].strip()
        if text:
            if text[0] == "'" and text[1:2] in _GUARDED:
                text = text[1:]  # put there against formulas when the cell was exported
            try:
                found[key] = reader(text)
            except _Refused as refused:
                errors.append(RowError(column, refused.rule, str(refused)))
    return found


_GUARDED = ("=", "+", "-", "@")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _too_long(what: str, text: str, most: int) -> str:
    return f"{what} has {len(text):,} characters, {most:,} are possible. Shorten it."


def _refuse_control(what: str, text: str) -> None:
    found = _CONTROL.search(text)
    if found:
        words = f"{what} holds an invisible control character (U+{ord(found.group()):04X}). Type the text again."
        raise _Refused("control_character", words)


def _text(what: str, limit: str) -> Callable[[str], str]:
    most = MAX_LENGTHS[limit]

    def read(text: str) -> str:
        if not text.isprintable():
            _refuse_control(what, text)
            text = " ".join(text.split())
        if len(text) > most:
            raise _Refused("too_long", _too_long(what, text, most))
        return text if text.isascii() else unicodedata.normalize("NFC", text)

    return read


def _email(text: str) -> str:
    if _PLAIN_EMAIL.fullmatch(text) and len(text) <= MAX_LENGTHS["email"] and text.index("@") <= _LOCAL_PART:
        return text
    _refuse_control("E-mail", text)
    address = text.removeprefix("mailto:")
    if named := _NAMED_EMAIL.fullmatch(address):
        address = named[1]
    address = unicodedata.normalize("NFC", address)
    if len(address) > MAX_LENGTHS["email"]:
        raise _Refused("too_long", _too_long("E-mail", address, MAX_LENGTHS["email"]))
    try:
        if len(address.rpartition("@")[0]) > _LOCAL_PART:
            raise ValidationError("")
        _is_email(address)
    except ValidationError:
        raise _Refused("not_an_email", f'E-mail "{_short(text)}" {_email_words(address)}') from None
    return address


def _email_words(address: str) -> str:
    if address.count("@") > 1:
        return "holds more than one address. Keep one."
    local, at, domain = address.partition("@")
    if not at:
        return "has no @. Write it as zoe@mail.example."
    if any(letter.isspace() for letter in address):
        return "holds a space. Take it out."
    if local and "." not in domain.strip("."):
        return "has no domain ending. Write it as zoe@mail.example."
    return "is not an address. Write it as zoe@mail.example."


def _phone_words(code: str, text: str) -> str:
    quoted = f'Phone "{_short(text)}"'
    if code == "no_country":
        return f"{quoted} has no country code. Write it as +44 20 7946 0142, or say which country such numbers are in."
    if code == "too_short":
        return f"{quoted} has too few digits or a wrong number of them. Write it as +44 20 7946 0142."
    if code == "too_long":
        return f"{quoted} has too many digits. Write it as +44 20 7946 0142."
    return f"{quoted} is not a number. Write it as +44 20 7946 0142."


def _identifier(text: str) -> str:
    if _SHORTENED.fullmatch(text):
        words = f'Identifier "{text}" was shortened by a spreadsheet. Format the column as text and export it again.'
        raise _Refused("shortened_number", words)
    return _text("Identifier", "identifier")(text)


def _type(text: str) -> str:
    known = text.lower()
    return known if known in _TYPES else _text("Type", "name")(text)


def _attribute(text: str) -> str:
    if not text.isprintable():
        _refuse_control("The cell", text)
    if len(text) > MAX_ATTRIBUTE_LENGTH:
        raise _Refused("too_long", _too_long("The cell", text, MAX_ATTRIBUTE_LENGTH))
    return text
