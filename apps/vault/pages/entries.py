"""What this floor puts into the side bar, the palette and the dashboard."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import Job
from apps.accounts.pages.door import account_of
from apps.accounts.pages.registry import Command, Panel, Section, Stat, Step, register
from apps.accounts.templatetags.words import lower_first, spoken
from apps.vault import selectors
from apps.vault.audit.selectors import Criteria, entries, last_seq
from apps.vault.audit.sentences import tell
from apps.vault.contact_figures import contact_figures
from apps.vault.jobs import AUDIT_VERIFY
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
        Stat("Audit trail", "audit.view", 40, _trail),
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
    """The latest of the trail; of an import its beginning and its end, not each of its pieces."""
    account = account_of(request)
    return {"told": tell(entries(account.id, Criteria(without="contact.imported"), limit=SHOWN), account)}


def _trail(request: HttpRequest) -> tuple[str, str]:
    checked = Job.objects.filter(kind=AUDIT_VERIFY, status=Job.Status.DONE).order_by("-created_at").first()
    written = f"{last_seq(account_of(request).id):,}"
    if checked is None or not checked.result or checked.finished_at is None:
        return written, "entries, not checked yet"
    moment = spoken(timezone.localtime(checked.finished_at), timezone.localtime())
    return written, f"entries, {'whole' if checked.result['whole'] else 'broken'} {lower_first(moment)}"


def _recent_contacts(request: HttpRequest) -> dict[str, Any] | None:
    """Who was dealt with last."""
    page = selectors.contacts_by_recency(selectors.ContactSearch(), None, SHOWN)
    rows = [dict(zip(selectors.COLUMNS, row, strict=True)) for row in page.rows]
    return {"contacts": rows} if rows else None
