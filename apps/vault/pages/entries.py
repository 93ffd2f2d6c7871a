"""What this floor puts into the side bar, the palette and the dashboard."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.accounts.pages.door import account_of
from apps.accounts.pages.registry import Command, Panel, Section, Stat, Step, register
from apps.accounts.permissions import allows
from apps.accounts.tenancy.middleware import actor_of
from apps.vault import selectors
from apps.vault.audit.selectors import entries
from apps.vault.audit.sentences import tell
from apps.vault.contact_figures import contact_figures
from apps.vault.models import Contact

SHOWN = 6


def register_all() -> None:
    """Called once, at start-up."""
    register(
        Section("", "contacts", "address-book", "Contacts", "contacts.view", 20, tab="Contacts", family="contact"),
        Section("Vault", "audit", "history", "Audit trail", "audit.view", 60, tab="Audit", family="audit"),
        Command("contact_new", "user-plus", "Add a contact", "contacts.create"),
        Command("contacts_import", "upload", "Import contacts", "contacts.import"),
        Step(
            "Bring your contacts",
            "They are encrypted from the first second, and still found by e-mail, phone or identifier.",
            "Import",
            "contacts_import",
            "contacts.import",
            40,
            _has_contacts,
        ),
        Stat("Contacts", "contacts.view", 10, _contacts),
        Panel("vault/dashboard/activity.html", "audit.view", 10, _activity),
        Panel("vault/dashboard/recent_contacts.html", "contacts.view", 20, _recent_contacts),
    )


def _has_contacts(request: HttpRequest) -> bool:
    return Contact.objects.exists()


def _contacts(request: HttpRequest) -> tuple[str, str]:
    figures = contact_figures()
    customers = figures.by_type.get(Contact.Type.CUSTOMER, 0)
    return (
        f"{figures.total:,}",
        f"{customers:,} customer{'' if customers == 1 else 's'}" if figures.total else "none yet",
    )


def _activity(request: HttpRequest) -> dict[str, Any] | None:
    account = account_of(request)
    return {"told": tell(entries(account.id, limit=SHOWN), account)}


def _recent_contacts(request: HttpRequest) -> dict[str, Any] | None:
    """Who was dealt with last, for those who don't see the trail."""
    if allows(actor_of(request), "audit.view"):
        return None
    page = selectors.contacts_by_recency(selectors.ContactSearch(), None, SHOWN)
    rows = [dict(zip(selectors.COLUMNS, row, strict=True)) for row in page.rows]
    return {"contacts": rows} if rows else None
