"""Contacts of one account at a time, masked: staff help without reading customers' address books."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.accounts.admin.one_account import OneAccountAdmin
from apps.accounts.admin.site import site
from apps.accounts.masking import masked, masked_email, masked_phone
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from apps.vault.templatetags.contacts import type_name


class TypeFilter(admin.SimpleListFilter):
    """By the usual types; accounts may have their own."""

    title = "type"
    parameter_name = "contact_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Contact.Type.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        return queryset.filter(contact_type=self.value()) if self.value() else queryset


@admin.register(Contact, site=site)
class ContactAdmin(OneAccountAdmin):
    """Found by exact e-mail, phone or identifier, which takes the account's own key."""

    list_display = ("masked_name", "masked_email", "masked_phone", "type", "last_activity_at", "created_at")
    list_filter = (OneAccountAdmin.account_filter, TypeFilter, ("last_activity_at", RangeDateTimeFilter))
    search_fields = ("pk",)
    search_help_text = "Whole e-mail, phone or identifier"
    list_note = (
        "Searching finds a whole e-mail, phone number (+44…) or identifier in one account: each account’s index has "
        "its own key, so nothing can be looked up across accounts."
    )
    ordering = ("-last_activity_at", "-id")
    fields = (
        "account",
        "masked_name",
        "masked_email",
        "masked_phone",
        "masked_identifier",
        "attribute_names",
        "type",
        "last_activity_at",
        "created_at",
        "updated_at",
        "id",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).select_related("account")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By blind index. Each account's index has its own key, so there is no looking across accounts."""
        wanted, account_id = search_term.strip(), self.chosen_account(request)
        if not wanted:
            return queryset, False
        if account_id is None:
            return queryset.none(), False
        with tenant(account_id):
            looks = (Contact.objects.with_email, Contact.objects.with_phone, Contact.objects.with_identifier)
            found = {key for look in looks for key in look(wanted).values_list("pk", flat=True)}
        return queryset.filter(pk__in=found), False

    @display(description="Name")
    def masked_name(self, contact: Contact) -> str:
        return masked(contact.name or "") or "No name"

    @display(description="E-mail")
    def masked_email(self, contact: Contact) -> str:
        return masked_email(contact.email or "") or "–"

    @display(description="Phone")
    def masked_phone(self, contact: Contact) -> str:
        return masked_phone(contact.phone or "") or "–"

    @display(description="Identifier")
    def masked_identifier(self, contact: Contact) -> str:
        return masked(contact.identifier or "") or "–"

    @display(description="Type", ordering="contact_type")
    def type(self, contact: Contact) -> str:
        return type_name(contact.contact_type)

    @display(description="Custom attributes")
    def attribute_names(self, contact: Contact) -> str:
        """How many there are: even their names may tell something."""
        count = len(contact.custom_attributes or {})
        return f"{count} with a value" if count else "None"
