"""The providers there are: every folder beside this file, each checked at start."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType

from apps.integrations import providers as package
from apps.integrations.providers.definition import Provider


class UnknownProvider(LookupError):
    """No provider has this name (in this category)."""


@lru_cache(maxsize=1)
def providers() -> Mapping[str, Provider]:
    """All providers by name, in the order of their labels.

    Raises ImportError for a folder without a definition, and ValueError for two folders that share a name.
    """
    found: dict[str, Provider] = {}
    for entry in pkgutil.iter_modules(package.__path__):
        if not entry.ispkg:
            continue
        name = f"{package.__name__}.{entry.name}"
        declared = import_module(f"{name}.definition").PROVIDER
        if not isinstance(declared, Provider):
            raise ImportError(f"{name}.definition.PROVIDER must be a Provider.")
        if declared.name in found:
            raise ValueError(f"Two providers are named {declared.name}.")
        found[declared.name] = replace(declared, package=name)
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: item[1].label.lower())))


def provider(name: str, category: str | None = None) -> Provider:
    """The provider of that name. Raises UnknownProvider."""
    found = providers().get(name)
    if found is None or (category is not None and found.category != category):
        raise UnknownProvider(
            f"There is no provider “{name}”" + (f" in the category “{category}”." if category else ".")
        )
    return found
