"""A contact's values as people read them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import phonenumbers
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.vault.models import Contact

register = template.Library()

_TYPES = dict(Contact.Type.choices)
_PLURALS = {"visitor": "Visitors", "lead": "Leads", "customer": "Customers", "partner": "Partners", "other": "Others"}


@register.filter
def phone(e164: str | None) -> str:
    """ "+44 20 7946 0142" from "+442079460142"."""
    return _spaced(e164) if e164 else ""


@register.filter
def breakable(email: str) -> SafeString:
    """An address that breaks before its @, where it has to."""
    name, at, host = email.rpartition("@")
    return format_html("{}<wbr>{}{}", name, at, host)


@lru_cache(maxsize=4096)
def _spaced(e164: str) -> str:
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@register.filter
def type_name(contact_type: str) -> str:
    """ "Lead"; a type that is not one of ours as it is."""
    return str(_TYPES.get(contact_type, contact_type.replace("_", " ").capitalize()))


@register.filter
def type_names(contact_type: str) -> str:
    """ "Leads"."""
    return _PLURALS.get(contact_type, type_name(contact_type))


@register.filter
def called(contact: Any) -> str:
    """What a contact is called where it has to be called something: name, else an address, else the identifier."""
    for found in ("name", "email", "phone", "identifier"):
        value = contact[found] if isinstance(contact, dict) else getattr(contact, found)
        if value:
            return phone(value) if found == "phone" else str(value)
    return "Somebody without a name"


@register.filter
def as_text(value: Any) -> str:
    """The value of a custom attribute: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, indent=2, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


@register.filter
def is_nested(value: Any) -> bool:
    """Whether the value of a custom attribute has parts."""
    return isinstance(value, dict | list)


@register.filter
def listed(value: Any) -> str:
    """ "cat, dog" for a list of plain values; "" for anything else."""
    if not isinstance(value, list) or any(isinstance(part, dict | list) for part in value):
        return ""
    return ", ".join(as_text(part) for part in value)
