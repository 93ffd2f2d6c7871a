"""What people call what the ledger knows by names for machines: parts of the product, their subjects, priced items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

Names = Callable[[Iterable[UUID]], dict[UUID, str]]
_sources: dict[str, tuple[str, Names | None]] = {"api": ("API", None)}
_items: dict[str, tuple[str, Mapping[str, str]]] = {}


def declare_source(source: str, label: str, names: Names | None = None) -> None:
    """Say at start-up what a part of the product is called, and how its subjects' ids become names."""
    _sources[source] = (label, names)


def declare_item(provider: str, label: str, products: Mapping[str, str] | None = None) -> None:
    """Say at start-up what items of a provider are called: ``provider`` alone, and ``provider/product``.

    Products that people know by the same name, such as models, need no words of their own.
    """
    _items[provider] = (label, products or {})


def declared_sources() -> set[str]:
    """The parts of the product that were declared."""
    return set(_sources)


def source_label(source: str) -> str:
    """A part of the product as people call it."""
    return _sources[source][0] if source in _sources else source.replace("_", " ").capitalize()


def subject_names(source: str, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of a source's connections, workflows …; those that are gone are left out."""
    names = _sources[source][1] if source in _sources else None
    return names(ids) if names else {}


def item_label(item: str) -> str:
    """What a price is for, as people call it: "Twilio · Text messages" for ``twilio/sms``."""
    provider, _, product = item.partition("/")
    if provider not in _items:
        return item
    label, products = _items[provider]
    return f"{label} · {products.get(product, product)}" if product else label
