"""What the values of a contact must be, whatever door they come through."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils import timezone

from apps.vault.models import Contact
from apps.vault.phones import NotAPhone, parse_phone

MAX_LENGTHS = {"name": 200, "email": 254, "phone": 40, "identifier": 200}
MAX_ATTRIBUTES_BYTES = 16_384
MAX_ATTRIBUTES_DEPTH = 5
MAX_ATTRIBUTE_NAME = 100

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
_is_email = EmailValidator()
_LABELS = {"name": "The name", "email": "The e-mail", "phone": "The phone", "identifier": "The identifier"}
_PHONE_WORDS = {
    "no_country": "Begin the phone number with + and the country, as in +44 20 7946 0142.",
    "not_a_number": "This is not a phone number. Write it as +44 20 7946 0142.",
    "too_short": "This phone number has too few digits, or a number of them that its country does not use.",
    "too_long": "This phone number has too many digits.",
}


def clean_values(values: dict[str, Any], *, region: str | None) -> dict[str, Any]:
    """``values`` in the form in which they are stored. Empty text becomes None.

    ``region`` is the country of phone numbers without a country code. Raises ValidationError naming each wrong
    field, TypeError for a name that is no field.
    """
    unknown = set(values) - set(_CLEANERS)
    if unknown:
        raise TypeError(f"Not a value of a contact: {', '.join(sorted(unknown))}")
    cleaned: dict[str, Any] = {}
    errors: dict[str, ValidationError] = {}
    for name, value in values.items():
        try:
            cleaned[name] = _phone(value, region) if name == "phone" else _CLEANERS[name](value)
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)  # type: ignore[arg-type]
    return cleaned


def require_somebody(contact: Contact) -> None:
    """Raises ValidationError for a contact that nothing tells apart from others."""
    if not (contact.name or contact.email or contact.phone or contact.identifier):
        words = "Give a name, an e-mail, a phone number or an identifier."
        raise ValidationError({"name": ValidationError(words, code="required")})


def _text(name: str) -> Callable[[Any], str | None]:
    def clean(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValidationError(f"{_LABELS[name]} must be text.", code="not_text")
        text = unicodedata.normalize("NFC", value).strip()
        if found := _CONTROL.search(text):
            words = f"{_LABELS[name]} holds a control character (U+{ord(found.group()):04X}). Type it again."
            raise ValidationError(words, code="control_character")
        if len(text) > MAX_LENGTHS[name]:
            words = f"{_LABELS[name]} may have {MAX_LENGTHS[name]} characters at most, not {len(text)}."
            raise ValidationError(words, code="max_length")
        return text or None

    return clean


def _email(value: Any) -> str | None:
    text = _text("email")(value)
    if text is None:
        return None
    try:
        if len(text.rpartition("@")[0]) > _LOCAL_PART:
            raise ValidationError("")
        _is_email(text)
    except ValidationError:
        raise ValidationError("This is not an e-mail address. Write it as zoe@mail.example.", code="email") from None
    return text


def _phone(value: Any, region: str | None) -> str | None:
    text = _text("phone")(value)
    if text is None:
        return None
    try:
        phone = parse_phone(text, region)
    except NotAPhone as error:
        raise ValidationError(_PHONE_WORDS[error.code], code=error.code) from None
    if phone.extension:
        raise ValidationError("Put the extension into the custom attributes.", code="extension")
    return phone.e164


def _contact_type(value: Any) -> str:
    if value not in Contact.Type.values:
        words = f"The type must be one of {', '.join(Contact.Type.values)}."
        raise ValidationError(words, code="invalid_choice")
    return str(value)


def _time(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise ValidationError("Give the time of the last activity.", code="required")
    return timezone.make_aware(value) if timezone.is_naive(value) else value


def _attributes(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValidationError("Custom attributes must be an object of names and values.", code="not_an_object")
    if _too_deep(value):
        words = f"Custom attributes may have {MAX_ATTRIBUTES_DEPTH} levels inside one another at most."
        raise ValidationError(words, code="too_deep")
    for name in value:
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_ATTRIBUTE_NAME or _CONTROL.search(name):
            words = f"Names of custom attributes have 1 to {MAX_ATTRIBUTE_NAME} characters, without control characters."
            raise ValidationError(words, code="attribute_name")
    try:
        size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError):
        raise ValidationError("Custom attributes must be plain JSON in UTF-8.", code="not_json") from None
    if size > MAX_ATTRIBUTES_BYTES:
        words = f"Custom attributes may take {MAX_ATTRIBUTES_BYTES} bytes as JSON at most, not {size}."
        raise ValidationError(words, code="too_large")
    return value


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_ATTRIBUTES_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(inner, dict | list) for inner in level)


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "name": _text("name"),
    "email": _email,
    "phone": _text("phone"),
    "identifier": _text("identifier"),
    "contact_type": _contact_type,
    "custom_attributes": _attributes,
    "last_activity_at": _time,
}
