"""Rules for what jobs are called with, told in the words every door shows."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email


def wrong(name: str, message: str, code: str) -> ValidationError:
    """The error to raise for one argument."""
    return ValidationError({name: ValidationError(message, code=code)})


def email_address(value: str, name: str = "email") -> None:
    """Raises ValidationError unless ``value`` is an e-mail address."""
    try:
        validate_email(value)
    except ValidationError:
        raise wrong(name, "Enter an e-mail address such as name@example.com.", "email") from None


def web_address(value: str, name: str) -> None:
    """Raises ValidationError unless ``value`` is an http(s) address."""
    try:
        parts = urlsplit(value)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, value))
    except ValueError:
        fine = False
    if not fine:
        raise wrong(name, "Must be an address that begins with https://.", "url")
