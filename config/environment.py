"""Settings from the environment: typed, and loud when a value is not of its type.

``NAME_FILE`` holds the path of a file with the value (container secrets); giving both is an error.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The value of ``name``. Raises ImproperlyConfigured when it is missing and has no default."""
    value, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and file is not None:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    if file is not None:
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE ({file}) can't be read: {error.strerror}.") from error
    if value is not None:
        return value
    if default is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE).")
    return default


def is_set(name: str) -> bool:
    """Whether ``name`` (or ``name``_FILE) is there and not empty."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def between(prefix: str, suffix: str) -> list[str]:
    """What stands in the middle of the names that are set: ``A`` for ``OAUTH_A_CLIENT_ID``, or its ``_FILE``."""
    names = (name.removesuffix("_FILE") for name in os.environ)
    return sorted({n[len(prefix) : -len(suffix)] for n in names if n.startswith(prefix) and n.endswith(suffix)})


def boolean(name: str, default: bool) -> bool:
    """``1 true yes on`` or ``0 false no off``, in any case."""
    value = text(name, "yes" if default else "no").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def integer(name: str, default: int, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number, at least ``least`` and at most ``most``."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if least is not None and number < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, not {number}.")
    if most is not None and number > most:
        raise ImproperlyConfigured(f"{name} must be at most {most}, not {number}.")
    return number


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Values between commas, trimmed, empty ones left out."""
    return [word.strip() for word in text(name, ",".join(default)).split(",") if word.strip()]


def currency(name: str, default: str) -> str:
    """A currency by its three letters (ISO 4217): ``EUR``."""
    value = text(name, default).strip().upper()
    if len(value) != 3 or not value.isascii() or not value.isalpha():
        raise ImproperlyConfigured(f"{name} must be the three letters of a currency, such as EUR, not {value!r}.")
    return value


def secret(name: str) -> str:
    """A secret that nobody can guess: at least 50 characters, 10 different ones, and not an example's."""
    value = text(name)
    if len(value) < 50 or len(set(value)) < 10 or value.startswith(("django-insecure-", "only-for-", "change-me")):
        raise ImproperlyConfigured(
            f"{name} can be guessed. Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return value


def service(name: str, paths: Collection[str]) -> str:
    """The address of a service that gets keys and texts, "" when there is none: https, or http on this machine.

    ``paths``: what it may end with. A closing slash is taken off.
    """
    url = text(name, "").strip().rstrip("/")
    if not url:
        return ""
    for fault in _faults_of(url, paths):
        raise ImproperlyConfigured(f"{name} {fault}")
    return url


def _faults_of(url: str, paths: Collection[str]) -> Iterator[str]:
    """What is wrong with an address, in words that follow its name."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield "must be an address that begins with https:// (or, on this machine, http://)."
    elif parts.scheme == "http" and not _is_this_machine(parts.hostname):
        yield f"must begin with https://: keys and texts would travel to {parts.hostname} for all to read."
    if parts.username or parts.password:
        yield "must hold no name and no password: the key is given by itself."
    if parts.query or parts.fragment:
        yield "must end with its path: take off what begins with ? or #."
    if not parts.path.endswith(tuple(paths)):
        yield f"must end with {' or '.join(paths)}; its path is {parts.path or '/'}."


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def choice(name: str, default: str, allowed: Collection[str]) -> str:
    """One of ``allowed``."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def email(name: str) -> dict[str, Any]:
    """Django's EMAIL_* settings from ``smtp://user:password@host:587?tls=1`` (``ssl=1``: TLS from the first byte).

    ``console://`` prints mails instead.
    """
    parts = urlsplit(text(name))
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme != "smtp" or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must look like smtp://user:password@host:587?tls=1.")
    options = dict(parse_qsl(parts.query))
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or 25,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": options.get("tls") == "1",
        "EMAIL_USE_SSL": options.get("ssl") == "1",
        "EMAIL_TIMEOUT": 10,
    }
