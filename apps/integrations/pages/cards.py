"""Connections and providers as cards: what each shows of itself, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.integrations.models import Integration
from apps.integrations.providers import CATEGORIES, Provider, UnknownProvider, providers
from apps.integrations.providers.categories import Category

Status = Integration.Status
STATES: dict[str, tuple[str, str]] = {
    Status.CONNECTED: ("ok", "Connected"),
    Status.ERROR: ("bad", "Failing"),
    Status.EXPIRED: ("bad", "Expired"),
    Status.REAUTH_REQUIRED: ("warn", "Sign in again"),
    Status.NOT_CONFIGURED: ("warn", "Not connected"),
    Status.BACKOFF: ("info", "Waiting"),
    Status.DISABLED: ("off", "Disabled"),
}
UNTRIED = ("info", "Not tested")
ATTENTION = {Status.ERROR, Status.EXPIRED, Status.REAUTH_REQUIRED, Status.NOT_CONFIGURED, Status.BACKOFF}


@dataclass(frozen=True)
class Card:
    """One connection, or (without ``row``) a provider that is not connected."""

    provider: Provider | None
    row: Integration | None = None

    @property
    def kind(self) -> str:
        """Which filter it falls under: connected, attention, disabled, available."""
        if self.row is None:
            return "available"
        if not self.row.enabled:
            return "disabled"
        return "attention" if self.needs_attention else "connected"

    @property
    def title(self) -> str:
        """What people call it."""
        if self.provider is None:
            return self.row.provider if self.row is not None else ""
        return self.provider.label

    @property
    def state(self) -> tuple[str, str]:
        """The state's colour and word."""
        return state_of(self.row) if self.row is not None else ("off", "Not connected")

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look at it."""
        return self.row is not None and self.row.enabled and (self.provider is None or self.row.condition in ATTENTION)

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """Label and value of what a card shows: the masked key, the main setting, whose credential it is."""
        if self.row is None or self.provider is None:
            return []
        return [
            *secret_facts(self.row, self.provider)[:1],
            *_main_setting(self.row, self.provider),
            *_identity(self.row),
        ]

    @property
    def wants_credential(self) -> bool:
        """Whether the one thing to do is to enter a new credential."""
        row = self.row
        return row is not None and row.enabled and row.condition == Status.EXPIRED and bool(self.credentials)

    @property
    def waits_for_consent(self) -> bool:
        """Whether somebody must sign in at the service before anything else makes sense."""
        row = self.row
        unsigned = row is not None and row.condition in {Status.NOT_CONFIGURED, Status.REAUTH_REQUIRED}
        return unsigned and self.provider is not None and self.provider.oauth is not None

    @property
    def is_calm(self) -> bool:
        """Whether nothing on the card is more urgent than the rest."""
        return not (self.wants_credential or self.waits_for_consent)

    @property
    def credentials(self) -> bool:
        """Whether there is a credential to rotate: a person's consent is given anew instead."""
        if self.row is None or self.provider is None:
            return False
        return any(self.row.credential(entry.name) for entry in self.provider.credentials if entry.secret)

    def matches(self, words: list[str]) -> bool:
        """Whether every word is in what it is called or for."""
        text = " ".join(
            [
                self.title,
                *([self.row.name, self.row.identity] if self.row is not None else []),
                *([self.provider.name, self.provider.description] if self.provider is not None else []),
                *([CATEGORIES[self.provider.category].label] if self.provider is not None else []),
            ]
        ).casefold()
        return all(word in text for word in words)


@dataclass(frozen=True)
class Shelf:
    """A category with its cards. ``offered`` services there are, ``used`` of them connected."""

    category: Category
    cards: list[Card] = field(default_factory=list)
    used: int = 0
    offered: int = 0


def shelves(rows: Iterable[Integration]) -> list[Shelf]:
    """All connections and providers by category; connections first."""
    known = list(rows)
    found = []
    for category in CATEGORIES.values():
        offered = [entry for entry in providers().values() if entry.category == category.name]
        own = [row for row in known if row.category == category.name]
        cards = sorted((card_of(row) for row in own), key=lambda card: (card.title.lower(), card.row and card.row.name))
        used = {row.provider for row in own}
        cards += [Card(entry) for entry in offered if entry.name not in used]
        if cards:
            found.append(Shelf(category, cards, len(used), len(used | {entry.name for entry in offered})))
    return found


def card_of(row: Integration) -> Card:
    """The card of a connection, also of one whose provider is gone."""
    try:
        return Card(row.definition, row)
    except UnknownProvider:
        return Card(None, row)


def state_of(row: Integration) -> tuple[str, str]:
    """The state of a connection: its colour and word."""
    if row.status == Status.CONNECTED and row.last_tested_at is None and row.last_used_at is None:
        return UNTRIED
    return STATES[row.status]


def secret_facts(row: Integration, provider: Provider) -> list[tuple[str, SafeString | str]]:
    """The parts of the credential as they may be shown, secrets first."""
    shown = row.masked_credentials
    fields = sorted(
        (entry for entry in provider.credentials if entry.name in shown), key=lambda entry: not entry.secret
    )
    return [
        (
            entry.label,
            format_html('<span class="mono">{}</span>', shown[entry.name]) if entry.secret else shown[entry.name],
        )
        for entry in fields
    ]


def setting_words(row: Integration, provider: Provider, name: str) -> str:
    """A setting's value as people read it."""
    entry = provider.setting(name)
    value = row.setting(name)
    if entry is None or value in (None, ""):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return next((option.label for option in entry.options if option.value == value), str(value))


def _main_setting(row: Integration, provider: Provider) -> list[tuple[str, str]]:
    entry = provider.setting(provider.main_setting) if provider.main_setting else None
    return [(entry.label, setting_words(row, provider, entry.name))] if entry is not None else []


def _identity(row: Integration) -> list[tuple[str, str]]:
    return [("Belongs to", row.identity)] if row.identity else []
