"""The admin's side bar. Each floor adds its own entries; only what exists is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

HEADINGS = ("", "Tenants", "Vault", "Operation")


@dataclass(frozen=True)
class Entry:
    """A link: ``url_name`` in the admin's namespace, ``icon`` of Material Symbols."""

    heading: str
    title: str
    url_name: str
    icon: str


_entries: list[Entry] = [Entry("", "Dashboard", "index", "dashboard")]


def add_entries(*entries: Entry) -> None:
    """Add entries to the side bar, in this order below their heading. Raises ValueError for an unknown heading."""
    for entry in entries:
        if entry.heading not in HEADINGS:
            raise ValueError(f"No heading {entry.heading!r} in the admin's side bar.")
        if entry not in _entries:
            _entries.append(entry)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups as Unfold takes them."""
    return [
        {
            "title": heading,
            "separator": False,
            "items": [
                {"title": entry.title, "icon": entry.icon, "link": reverse(f"admin:{entry.url_name}")}
                for entry in _entries
                if entry.heading == heading
            ],
        }
        for heading in HEADINGS
        if any(entry.heading == heading for entry in _entries)
    ]
