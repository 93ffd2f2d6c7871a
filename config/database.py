"""Database settings from a URL, and which role a process connects as."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import environment

# Commands that change the schema connect as its owner (MIGRATION_DATABASE_URL); everything else serves.
OWNER_COMMANDS = frozenset({"migrate", "makemigrations", "sqlmigrate", "showmigrations", "squashmigrations"})


def wants_owner(arguments: list[str]) -> bool:
    """Whether ``manage.py`` with these arguments works on the schema. ``DATABASE_ROLE=owner|app`` overrides."""
    role = environment.text("DATABASE_ROLE", "")
    if role not in {"", "owner", "app"}:
        raise ImproperlyConfigured(f"DATABASE_ROLE must be owner or app, not {role!r}.")
    if role:
        return role == "owner"
    return len(arguments) > 1 and arguments[0].endswith("manage.py") and arguments[1] in OWNER_COMMANDS


def from_url(url: str) -> dict[str, Any]:
    """Django's settings for ``postgres://user:password@host:port/name?option=value``."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// (row security needs PostgreSQL).")
    return {
        "ENGINE": "apps.accounts.tenancy.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def settings(app_url: str, owner_url: str) -> dict[str, Any]:
    """``DATABASES['default']`` of this process.

    The web process pools its connections (``DATABASE_POOL`` = how many); workers keep one between tasks.
    """
    chosen = from_url(owner_url if wants_owner(sys.argv) else app_url)
    pool = environment.integer("DATABASE_POOL", 0, least=0)
    if pool:
        chosen["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool, "timeout": 10}
    else:
        chosen["CONN_MAX_AGE"] = environment.integer("DATABASE_CONN_MAX_AGE", 60, least=0)
        chosen["CONN_HEALTH_CHECKS"] = True
    return chosen
