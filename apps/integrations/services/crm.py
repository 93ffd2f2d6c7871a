"""Keeping people in step with the account's CRM."""

from __future__ import annotations

from apps.accounts.actors import Actor
from apps.integrations.contracts.crm import CrmContact, Person
from apps.integrations.services.arguments import email_address
from apps.integrations.services.calling import calling


def upsert_contact(person: Person, *, actor: Actor, provider: str | None = None) -> CrmContact:
    """Write a person to the CRM. Raises ValidationError, PermissionDenied, OutboundError (NotConfigured among them)."""
    email_address(person.email)
    with calling("crm.upsert_contact", actor=actor, provider=provider) as call:
        contact: CrmContact = call.client.upsert_contact(person)
    given = [name for name in ("email", "name", "phone", "company") if getattr(person, name)]
    call.sent_personal_data(*given, *person.attributes)
    return contact


def find_contact(email: str, *, actor: Actor, provider: str | None = None) -> CrmContact | None:
    """The person with this e-mail address. Raises ValidationError, PermissionDenied, OutboundError."""
    email_address(email)
    with calling("crm.find_contact", actor=actor, provider=provider) as call:
        contact: CrmContact | None = call.client.find_contact(email=email)
    call.sent_personal_data("email")
    return contact
