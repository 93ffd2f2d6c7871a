"""One contact: what is known of it, what happened to it, and the way out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.api.rendering import to_json
from apps.accounts.pages.door import account_of, dialog, done, may, tenant_page
from apps.accounts.pages.shell import address
from apps.accounts.permissions import allows
from apps.accounts.tenancy.middleware import actor_of
from apps.vault import selectors
from apps.vault.audit.selectors import Criteria, entries
from apps.vault.audit.sentences import tell
from apps.vault.contact_export import export_contact
from apps.vault.models import Contact
from apps.vault.pages.contact_parts import contact_parts
from apps.vault.services.contacts import delete_contact, lock_contact
from apps.vault.templatetags.contacts import called

HISTORY = 8


@tenant_page("contacts.view")
def contact(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Everything about one contact that the role may see."""
    actor = actor_of(request)
    found = shown_contact(contact_id)
    history = []
    if allows(actor, "audit.view"):
        criteria = Criteria(entity=f"contact:{contact_id}")
        history = tell(entries(account_of(request).id, criteria, limit=HISTORY), account_of(request))
    context = {
        "contact": found,
        "attributes": sorted((found["custom_attributes"] or {}).items()),
        "history": history,
        "parts": contact_parts(request, contact_id),
        "may_see_history": allows(actor, "audit.view"),
        "may_update": may(request, "contacts.update"),
        "may_delete": may(request, "contacts.delete"),
    }
    return render(request, "vault/contacts/detail.html", context)


@tenant_page("contacts.view")
def export(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """All that is kept about the contact, as a file."""
    try:
        document = export_contact(contact_id, actor=actor_of(request))
    except Contact.DoesNotExist:
        raise Http404("No such contact.") from None
    answer = HttpResponse(to_json(document), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="contact-{contact_id}.json"'
    return answer


@tenant_page("contacts.delete", "GET", "POST")
def delete(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Remove a contact, after its name was typed."""
    if request.method == "POST":
        held = locked(contact_id)
        name = called(held)
        if " ".join(request.POST.get("name", "").split()) == " ".join(name.split()):
            delete_contact(held, actor=actor_of(request))
            return done(request, address(account_of(request), "contacts"), f"{name} is deleted.")
        return _asking(request, name, contact_id, error="That is not what this contact is called. Type it as above.")
    return _asking(request, called(shown_contact(contact_id)), contact_id)


def _asking(request: HttpRequest, name: str, contact_id: UUID, *, error: str = "") -> HttpResponse:
    context = {
        "title": f"Delete {name}?",
        "name": name,
        "typed": request.POST.get("name", ""),
        "error": error,
        "back": address(account_of(request), "contact", contact_id=contact_id),
    }
    return dialog(request, "vault/contacts/delete.html", context, status=422 if error else 200)


def shown_contact(contact_id: UUID) -> dict[str, Any]:
    """A contact's values by their names. Raises Http404."""
    try:
        return dict(zip(selectors.COLUMNS, selectors.contact(contact_id), strict=True))
    except Contact.DoesNotExist:
        raise Http404("No such contact.") from None


def locked(contact_id: UUID) -> Contact:
    """The contact, held until the request ends. Raises Http404."""
    try:
        return lock_contact(contact_id)
    except Contact.DoesNotExist:
        raise Http404("No such contact.") from None
