"""Settings from the environment: typed, and loud when a value is not of its type.

``NAME_FILE`` holds the path of a file with the value (container secrets); giving both is an error.
"""

from __future__ import annotations

import os
from pathlib import Path

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


def boolean(name: str, default: bool) -> bool:
    """``1 true yes on`` or ``0 false no off``, in any case."""
    value = text(name, "yes" if default else "no").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def integer(name: str, default: int, *, least: int | None = None) -> int:
    """A whole number, at least ``least``."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if least is not None and number < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, not {number}.")
    return number


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Values between commas, trimmed, empty ones left out."""
    return [word.strip() for word in text(name, ",".join(default)).split(",") if word.strip()]
