"""What a floor adds to the shell and the dashboard: each app registers its own at start-up.

A floor may not import from the floors above it, so the shell cannot name their pages; they name themselves here.
Every entry carries the action of ``permissions.py`` that its page asks for: who may not open a page doesn't see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest

from apps.accounts.permissions import known


@dataclass(frozen=True)
class Section:
    """An entry of the side bar. ``heading`` is the group it stands in ("" for the first, without a heading)."""

    heading: str
    url_name: str
    icon: str
    label: str
    action: str
    order: int
    # On phones the first four entries with a tab name stand in the bottom bar.
    tab: str = ""
    # Beginning of the URL names that belong to this entry, when it has pages below it.
    family: str = ""
    # How many things wait for the reader there, asked on every page; None for entries without a number.
    count: Callable[[HttpRequest], int] | None = None


@dataclass(frozen=True)
class Command:
    """Something to do, offered in the palette: "Invite a member"."""

    url_name: str
    icon: str
    label: str
    action: str


@dataclass(frozen=True)
class Step:
    """A row of the dashboard's first-day list. ``done`` is asked in the account's scope."""

    title: str
    words: str
    button: str
    url_name: str
    action: str
    order: int
    done: Callable[[HttpRequest], bool]


@dataclass(frozen=True)
class Stat:
    """A figure on the dashboard: ``read`` answers ``(figure, note)``."""

    label: str
    action: str
    order: int
    read: Callable[[HttpRequest], tuple[str, str]]


@dataclass(frozen=True)
class Panel:
    """A part of the dashboard. ``read`` answers the template's context, or None to leave the panel out.

    ``place`` is "top" (above everything), "main" or "side"; "ai" is the page "AI features", below its figures, and
    "ai-always" its foot, also while there is no project.
    """

    template: str
    action: str
    order: int
    read: Callable[[HttpRequest], dict[str, Any] | None]
    place: str = "main"


Kind = TypeVar("Kind", Section, Command, Step, Stat, Panel)

HEADINGS = ("", "Build", "Vault", "Account")

_entries: dict[type, list[Any]] = {Section: [], Command: [], Step: [], Stat: [], Panel: []}


def register(*entries: Section | Command | Step | Stat | Panel) -> None:
    """Add entries; AppConfig.ready() calls this. Raises UnknownAction for a misspelt action."""
    for entry in entries:
        known(entry.action)
        if entry not in _entries[type(entry)]:
            _entries[type(entry)].append(entry)


def counts_of(request: HttpRequest) -> list[dict[str, Any]]:
    """What waits at each entry that counts, as ``components/section_count.html`` takes it, to show it anew."""
    return [
        {"key": section.url_name, "count": section.count(request)} for section in registered(Section) if section.count
    ]


def registered(kind: type[Kind]) -> list[Kind]:
    """The entries of one kind, in order."""
    return sorted(_entries[kind], key=lambda entry: getattr(entry, "order", 0))
