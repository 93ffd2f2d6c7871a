"""Making, changing and deleting contacts."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import current_account_id
from apps.vault import contact_cache
from apps.vault.contact_values import clean_values, require_somebody
from apps.vault.models import Contact

FIELDS = ("name", "email", "phone", "identifier", "contact_type", "custom_attributes", "last_activity_at")
UNIQUE = ("email", "phone", "identifier")
_TAKEN = {
    "email": "Another contact has this e-mail.",
    "phone": "Another contact has this phone number.",
    "identifier": "Another contact has this identifier.",
}


def create_contact(*, actor: Actor, **values: Any) -> Contact:
    """Make a contact with any of FIELDS. Raises PermissionDenied, ValidationError naming each wrong field."""
    require(actor, "contacts.create")
    contact = Contact(custom_attributes={}, last_activity_at=timezone.now())
    _set(contact, values)
    require_somebody(contact)
    _save(contact, force_insert=True)
    changes = {name: [None, value] for name, value in _shown(contact, FIELDS).items() if value}
    audit.record("contact.created", actor=actor, entity=contact, label=_label(contact), changes=changes)
    return contact


def update_contact(contact: Contact, *, actor: Actor, **values: Any) -> Contact:
    """Change any of FIELDS; what does not differ is not written. ``contact`` should be locked (``lock_contact``).

    Raises PermissionDenied, ValidationError naming each wrong field.
    """
    require(actor, "contacts.update")
    before = _shown(contact, FIELDS)
    _set(contact, values)
    after = _shown(contact, FIELDS)
    changed = [name for name in FIELDS if before[name] != after[name]]
    if not changed:
        return contact
    require_somebody(contact)
    contact_cache.forget(contact)
    indexes = [f"{name}_index" for name in UNIQUE if name in changed]
    _save(contact, update_fields=[*changed, *indexes, "updated_at"])
    changes = {name: [before[name], after[name]] for name in changed}
    audit.record("contact.updated", actor=actor, entity=contact, label=_label(contact), changes=changes)
    transaction.on_commit(partial(contact_cache.forget, contact))
    return contact


def delete_contact(contact: Contact, *, actor: Actor) -> None:
    """Remove a contact. What it was stays readable in the audit trail alone. Raises PermissionDenied."""
    require(actor, "contacts.delete")
    changes = {name: [value, None] for name, value in _shown(contact, FIELDS).items() if value}
    audit.record("contact.deleted", actor=actor, entity=contact, label=_label(contact), changes=changes)
    contact_cache.forget(contact)
    transaction.on_commit(partial(contact_cache.forget, Contact(id=contact.id, account_id=contact.account_id)))
    contact.delete()


def lock_contact(contact_id: Any) -> Contact:
    """The contact, held until the transaction ends. Raises Contact.DoesNotExist."""
    contact: Contact = Contact.objects.select_for_update().get(pk=contact_id)
    return contact


def _set(contact: Contact, values: dict[str, Any]) -> None:
    for name, value in clean_values(values, region=_region(values.get("phone"))).items():
        setattr(contact, name, value)


def _region(phone: Any) -> str | None:
    """The country of a number that does not name its own; the account is asked only then."""
    if not isinstance(phone, str) or not phone.strip() or phone.strip().startswith("+"):
        return None
    return Account.objects.values_list("default_region", flat=True).get(pk=current_account_id())


def _save(contact: Contact, **options: Any) -> None:
    """Save, and turn the unique indexes' refusal into errors on the fields. Nobody can come in between."""
    try:
        with transaction.atomic():
            contact.save(**options)
    except IntegrityError as error:
        taken = _taken(contact)
        if not taken:
            raise
        raise ValidationError({name: ValidationError(_TAKEN[name], code="unique") for name in taken}) from error


def _taken(contact: Contact) -> list[str]:
    others = Contact.objects.exclude(pk=contact.pk)
    return [name for name in UNIQUE if getattr(contact, name) and _with(others, name, getattr(contact, name)).exists()]


def _with(contacts: Any, name: str, value: str) -> Any:
    return getattr(contacts, f"with_{name}")(value)


def _shown(contact: Contact, names: tuple[str, ...]) -> dict[str, Any]:
    shown = {name: getattr(contact, name) for name in names}
    shown["last_activity_at"] = contact.last_activity_at.isoformat()
    shown["custom_attributes"] = contact.custom_attributes or {}
    return shown


def _label(contact: Contact) -> str:
    return contact.name or contact.email or contact.phone or contact.identifier or ""
