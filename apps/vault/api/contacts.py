"""``contacts`` and ``contacts/{id}``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import PageParameters, answer_page
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, PassedOn, Time, page_of, text_schema
from apps.accounts.api.views import AccountView, answer
from apps.accounts.keyset import Page, Position
from apps.vault import selectors
from apps.vault.api.cursors import BY_NAME, BY_RECENCY
from apps.vault.contact_export import export_contact
from apps.vault.contact_values import MAX_LENGTHS
from apps.vault.models import Contact
from apps.vault.services import contacts as service

WHEN_REPLACED: dict[str, Any] = {
    "name": None,
    "email": None,
    "phone": None,
    "identifier": None,
    "contact_type": Contact.Type.LEAD.value,
    "custom_attributes": {},
}
"""What PUT gives the fields that it does not name. The last activity stays: it is not the editor's to forget."""


class ContactSerializer(Input):
    """A person the account deals with."""

    id = serializers.UUIDField(read_only=True)
    name = PassedOn(schema=text_schema(MAX_LENGTHS["name"]))
    email = PassedOn(
        schema=text_schema(MAX_LENGTHS["email"], format="email"), help_text="Unique in the account, whatever its case."
    )
    phone = PassedOn(
        schema=text_schema(MAX_LENGTHS["phone"]),
        help_text="Unique in the account; kept as E.164. Without +code it is read as a number of the account's region.",
    )
    identifier = PassedOn(
        schema=text_schema(MAX_LENGTHS["identifier"]), help_text="Unique in the account: your own id of this person."
    )
    contact_type = serializers.ChoiceField(choices=Contact.Type.choices, required=False)
    custom_attributes = PassedOn(schema={"type": "object", "additionalProperties": {}})
    last_activity_at = Time(required=False)
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


class ContactParameters(PageParameters):
    """Which contacts. Searches are exact: what is encrypted can't be searched in parts."""

    email = serializers.CharField(required=False, max_length=300)
    phone = serializers.CharField(required=False, max_length=60, trim_whitespace=False)
    identifier = serializers.CharField(required=False, max_length=300)
    q = serializers.CharField(
        required=False, max_length=300, trim_whitespace=False, help_text="Any of e-mail, phone and identifier."
    )
    contact_type = serializers.ChoiceField(choices=Contact.Type.choices, required=False)
    ordering = serializers.ChoiceField(
        choices=["-last_activity_at", "name"],
        default="-last_activity_at",
        help_text=f"By name: up to {selectors.MOST_BY_NAME} contacts.",
    )


_EXAMPLE = OpenApiExample(
    "A customer",
    request_only=True,
    value={
        "name": "Zoë Ørsted",
        "email": "zoe@mail.example",
        "phone": "+44 20 7946 0142",
        "identifier": "CRM-7",
        "contact_type": "customer",
        "custom_attributes": {"city": "Århus"},
    },
)


class ContactsView(AccountView):
    """All contacts."""

    actions: ClassVar = {"GET": "contacts.view", "POST": "contacts.create"}

    @extend_schema(
        operation_id="contacts_list",
        summary="List or find contacts",
        parameters=[ContactParameters],
        responses=page_of(ContactSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest activity first, or by name; narrowed by exact e-mail, phone, identifier or type."""
        wanted = self.parameters(ContactParameters)
        search = selectors.ContactSearch(
            email=wanted.get("email", ""),
            phone=_plus(wanted.get("phone", "")),
            identifier=wanted.get("identifier", ""),
            q=_plus(wanted.get("q", "")),
            contact_type=wanted.get("contact_type", ""),
            region=self.account.default_region,
        )
        by_name = wanted["ordering"] == "name"
        cursors = BY_NAME if by_name else BY_RECENCY
        position = cursors.read(wanted.get("cursor"))
        if by_name:
            page = selectors.contacts_by_name(search, position, wanted["limit"])
        else:
            page = self.by_recency(search, position, wanted["limit"])
        return answer_page(page, cursors, show)

    def by_recency(self, search: selectors.ContactSearch, position: Position | None, limit: int) -> Page[Any]:
        """The rows of a page, the latest activity first."""
        return selectors.contacts_by_recency(search, position, limit, as_json=True)

    @extend_schema(
        operation_id="contacts_create",
        summary="Create a contact",
        request=ContactSerializer,
        responses={201: ContactSerializer},
        examples=[_EXAMPLE],
    )
    def post(self, request: Request) -> HttpResponse:
        """At least one of name, e-mail, phone and identifier is needed."""
        contact = service.create_contact(actor=self.actor, **self.body(ContactSerializer))
        location = reverse("api:contact", args=[contact.id])
        return answer_object(request, show_contact(contact), status=201, location=location)


class ContactView(AccountView):
    """One contact."""

    actions: ClassVar = {
        "GET": "contacts.view",
        "PUT": "contacts.update",
        "PATCH": "contacts.update",
        "DELETE": "contacts.delete",
    }

    @extend_schema(operation_id="contacts_read", summary="Read a contact", responses=ContactSerializer)
    def get(self, request: Request, contact_id: UUID) -> HttpResponse:
        """With ``If-None-Match`` an unchanged contact is answered with 304."""
        return answer_object(request, show(selectors.contact(contact_id)))

    @extend_schema(
        operation_id="contacts_replace",
        summary="Replace a contact",
        request=ContactSerializer,
        responses=ContactSerializer,
    )
    def put(self, request: Request, contact_id: UUID) -> HttpResponse:
        """Fields that are left out become empty, except the last activity."""
        return self._change(request, contact_id, {**WHEN_REPLACED, **self.body(ContactSerializer)})

    @extend_schema(
        operation_id="contacts_update",
        summary="Change a contact",
        request=ContactSerializer,
        responses=ContactSerializer,
    )
    def patch(self, request: Request, contact_id: UUID) -> HttpResponse:
        """Fields that are left out stay. Custom attributes are replaced as a whole."""
        return self._change(request, contact_id, self.body(ContactSerializer))

    @extend_schema(operation_id="contacts_delete", summary="Delete a contact", responses={204: None})
    def delete(self, request: Request, contact_id: UUID) -> HttpResponse:
        """There is no way back."""
        service.delete_contact(self._locked(request, contact_id), actor=self.actor)
        return HttpResponse(status=204)

    def _change(self, request: Request, contact_id: UUID, values: dict[str, Any]) -> HttpResponse:
        contact = service.update_contact(self._locked(request, contact_id), actor=self.actor, **values)
        return answer_object(request, show_contact(contact))

    def _locked(self, request: Request, contact_id: UUID) -> Contact:
        contact = service.lock_contact(contact_id)
        check_unchanged(request, lambda: show_contact(contact))
        return contact


class ContactExportView(AccountView):
    """All that is kept about one contact."""

    is_single = False
    actions: ClassVar = {"GET": "contacts.view"}

    @extend_schema(
        operation_id="contacts_export",
        summary="Export a contact",
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, contact_id: UUID) -> HttpResponse:
        """The contact with its facts and conversations, as one JSON document. Taking it is an entry of the trail."""
        return answer(export_contact(contact_id, actor=self.actor))


def show(row: list[Any]) -> dict[str, Any]:
    """A contact as outsiders read it, from a row of ``selectors``."""
    contact = dict(zip(selectors.COLUMNS, row, strict=True))
    attributes = contact["custom_attributes"]
    contact["custom_attributes"] = orjson.Fragment(attributes) if isinstance(attributes, bytes) else attributes or {}
    return contact


def show_contact(contact: Contact) -> dict[str, Any]:
    """The same, from a model instance."""
    return show([getattr(contact, name) for name in selectors.COLUMNS])


def _plus(text: str) -> str:
    """``?phone=+44…`` arrives with a space: the plus sign of a query string means one."""
    return f"+{text[1:]}" if text[:1] == " " and text[1:2].isdigit() else text.strip()
