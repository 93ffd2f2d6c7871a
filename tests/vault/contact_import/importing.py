"""Running imports in tests: through the service and the job, as the product does."""

from __future__ import annotations

import csv
import io
from typing import Any

from apps.accounts.actors import Actor
from apps.accounts.jobs import running
from apps.accounts.models import Account, Job, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.contact_import.rejections import Rejection
from apps.vault.models import Contact, ContactImport, RejectedRows
from apps.vault.services.contact_imports import import_contacts

HEADER = ["Name", "E-mail", "Phone", "Ref", "City"]


def a_csv(*rows: list[str], header: list[str] | None = None) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([header or HEADER, *rows])
    return out.getvalue().encode()


def owner_of(account: Account) -> Actor:
    with tenant(account):
        return Actor.member(Membership.objects.select_related("user").filter(role=Role.OWNER).earliest("created_at"))


def queue(account: Account, content: bytes, **options: Any) -> ContactImport:
    """An import that waits for its worker."""
    actor = options.pop("actor", None) or owner_of(account)
    with tenant(account):
        return import_contacts(actor=actor, file_name="people.csv", content=[content], **options)


def work(contact_import: ContactImport) -> str:
    """Do what a worker does with the import's job."""
    return running.run(contact_import.account_id, contact_import.job_id)


def imported(account: Account, content: bytes, **options: Any) -> ContactImport:
    """A finished import."""
    contact_import = queue(account, content, **options)
    assert work(contact_import) == Job.Status.DONE
    with tenant(account):
        return ContactImport.objects.get(pk=contact_import.pk)


def figures(contact_import: ContactImport) -> tuple[int, int, int, int]:
    """(added, merged, unchanged, rejected), which must make up all rows."""
    found = (contact_import.added, contact_import.merged, contact_import.unchanged, contact_import.rejected)
    assert sum(found) == contact_import.rows_done == contact_import.rows_total
    return found


def rejections(contact_import: ContactImport) -> list[Rejection]:
    with tenant(contact_import.account_id):
        chunks = RejectedRows.objects.filter(contact_import=contact_import).order_by("first_row")
        return [Rejection(*row) for chunk in chunks for row in chunk.rows]


def contacts(account: Account) -> dict[str, dict[str, Any]]:
    """Everybody in the account by name, as plain values."""
    names = ("email", "phone", "identifier", "contact_type", "custom_attributes")
    with tenant(account):
        return {
            contact.name or "": {name: getattr(contact, name) for name in names} for contact in Contact.objects.all()
        }
