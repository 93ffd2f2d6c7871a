"""Taking credentials over from where an installation kept them: its environment, or a column of an old database.

Adopting twice changes nothing: a connection that is there already is left as it is, unless it is to be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError

from apps.accounts.actors import Actor
from apps.integrations.models import Integration
from apps.integrations.providers import Provider
from apps.integrations.providers.definition import BadFields
from apps.integrations.services.connections import change, connect, lock_integration


class Adopted(StrEnum):
    """What became of one connection of one account."""

    NEW = "connected"
    SAME = "there already"
    DIFFERS = "there with another credential, left alone"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Found:
    """What was found of one provider. The values are in no repr."""

    provider: Provider
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)


class Incomplete(ValueError):
    """Some variables of a provider are set, and others are missing or wrong. Holds no value."""


def found_in(read: Callable[[str], str], provider: Provider) -> Found | None:
    """The provider's credential by its variables; None when none of a secret is set. Raises Incomplete.

    ``read`` gives a variable's value, "" for one that is not set.
    """
    values = {name: read(variable) for name, variable in provider.variables.items()}
    credentials = {entry.name: values[entry.name] for entry in provider.credentials if values[entry.name]}
    settings = {entry.name: values[entry.name] for entry in provider.settings if values[entry.name]}
    if not any(entry.name in credentials for entry in provider.credentials if entry.secret):
        return None
    try:
        return Found(provider, provider.clean_credentials(credentials), settings | _cleaned(provider, settings))
    except BadFields as bad:
        told = "; ".join(f"{provider.variables[name]}: {error}" for name, error in bad.errors.items())
        raise Incomplete(f"{provider.label}: {told}") from None


def adopt(found: Found, *, actor: Actor, replace: bool = False) -> Adopted:
    """Make it the connection of the account in scope. Raises PermissionDenied, ValidationError."""
    row = Integration.objects.filter(category=found.provider.category, provider=found.provider.name, name="").first()
    if row is None:
        connect(
            actor=actor,
            category=found.provider.category,
            provider_name=found.provider.name,
            credentials=found.credentials,
            settings=found.settings,
        )
        return Adopted.NEW
    if all(row.credential(name) == value for name, value in found.credentials.items()):
        return Adopted.SAME
    if not replace:
        return Adopted.DIFFERS
    change(lock_integration(row.id), actor=actor, credentials=found.credentials, settings=found.settings)
    return Adopted.REPLACED


def _cleaned(provider: Provider, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given, cleaned; defaults stay out, so that a later default counts. Raises BadFields."""
    cleaned = provider.clean_settings(settings)
    return {name: cleaned[name] for name in settings}


def told(error: ValidationError) -> str:
    """A refusal on one line."""
    if hasattr(error, "message_dict"):
        return "; ".join(f"{name}: {' '.join(words)}" for name, words in error.message_dict.items())
    return " ".join(error.messages)
