"""A person the account deals with. Everything that identifies them lies encrypted."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from apps.accounts.tenancy.models import TenantManager, TenantModel, TenantQuerySet
from apps.accounts.tenancy.scope import NoScope, current_account_id
from apps.vault.fields import BlindIndexField, EncryptedJSONField, EncryptedTextField


def matches(name: str, value: str) -> Q:
    """The condition that a contact's ``name`` (email, phone, identifier) is exactly ``value``, by its blind index.

    Raises NoScope outside of an account, whose key the index needs.
    """
    account_id = current_account_id()
    if account_id is None:
        raise NoScope("A blind index belongs to one account: look up inside tenant(account).")
    field: Any = Contact._meta.get_field(f"{name}_index")
    candidates = field.candidates(account_id, value)
    # One "=" is what row security lets an index answer; more than one only during a rotation.
    match len(candidates):
        case 0:
            return Q(pk__in=[])
        case 1:
            return Q(**{f"{name}_index": candidates[0]})
        case _:
            return Q(**{f"{name}_index__in": candidates})


class ContactQuerySet(TenantQuerySet):
    """Look-ups through the blind indexes."""

    def with_email(self, value: str) -> Any:
        """Contacts with exactly this e-mail, whatever its case."""
        return self.filter(matches("email", value))

    def with_phone(self, value: str) -> Any:
        """Contacts with exactly this number (E.164)."""
        return self.filter(matches("phone", value))

    def with_identifier(self, value: str) -> Any:
        """Contacts with exactly this identifier."""
        return self.filter(matches("identifier", value))


class Contact(TenantModel):
    """Name, addresses and attributes are encrypted; type and times are not (lists are ordered by them)."""

    class Type(models.TextChoices):
        VISITOR = "visitor", "Visitor"
        LEAD = "lead", "Lead"
        CUSTOMER = "customer", "Customer"
        PARTNER = "partner", "Partner"
        OTHER = "other", "Other"

    name = EncryptedTextField(null=True, blank=True)
    email = EncryptedTextField("e-mail", null=True, blank=True)
    phone = EncryptedTextField(null=True, blank=True)
    identifier = EncryptedTextField(null=True, blank=True)
    custom_attributes = EncryptedJSONField(null=True, blank=True)
    email_index = BlindIndexField(source="email", normalise="apps.vault.normalise.email")
    phone_index = BlindIndexField(source="phone", normalise="apps.vault.normalise.phone")
    identifier_index = BlindIndexField(source="identifier", normalise="apps.vault.normalise.identifier")
    contact_type = models.CharField("type", max_length=40, default=Type.LEAD)
    last_activity_at = models.DateTimeField()

    objects = TenantManager.from_queryset(ContactQuerySet)()  # type: ignore[django-manager-missing, misc]

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "email_index"], name="contact_email_once"),
            models.UniqueConstraint(fields=["account", "phone_index"], name="contact_phone_once"),
            models.UniqueConstraint(fields=["account", "identifier_index"], name="contact_identifier_once"),
        ]
        indexes = [models.Index(fields=["account", "-last_activity_at", "-id"], name="contact_recent")]

    def __str__(self) -> str:
        # Never the name: this text reaches logs and the admin's history.
        return f"Contact {self.id}"
