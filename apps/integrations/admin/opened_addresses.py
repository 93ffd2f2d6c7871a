"""Addresses inside the operator's network, opened to one account each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextInputWidget

from apps.accounts.actors import Actor
from apps.accounts.admin.base import PlatformModelAdmin
from apps.accounts.admin.changes import Change
from apps.accounts.admin.door import staff
from apps.accounts.admin.site import site
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import OpenedAddress
from apps.integrations.services.opened_addresses import checked_address, close_address, open_address


class OpenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Whom an address is opened to, and why."""

    opened_to = forms.ModelChoiceField(Account.objects.none(), label="Account", widget=UnfoldAdminSelect2Widget)
    address = forms.CharField(
        max_length=255,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "placeholder": "crm.internal:8443"}),
        help_text="A network (10.1.0.0/16), an address, or a host, with a port or for all ports.",
    )
    reason = forms.CharField(
        max_length=300, widget=UnfoldAdminTextInputWidget, help_text="The account reads it in its audit trail."
    )

    class Meta:
        model = OpenedAddress
        fields = ("address", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "opened_to" in self.fields:
            self.fields["opened_to"].queryset = Account.objects.order_by("name")  # type: ignore[attr-defined]

    def clean_address(self) -> str:
        try:
            return checked_address(self.cleaned_data["address"])
        except ValidationError as error:
            raise ValidationError(error.message_dict["address"]) from None


def _closed(row: OpenedAddress, actor: Actor) -> str:
    close_address(OpenedAddress.objects.get(pk=row.pk), actor=actor)
    return f"{row.address} is closed to {row.account.name}."


@admin.register(OpenedAddress, site=site)
class OpenedAddressAdmin(PlatformModelAdmin):
    """Opened and closed, never changed: each stands in the account's trail with its reason."""

    form = OpenForm
    list_display = ("address", "account", "reason", "created_at")
    list_filter = (("account", AutocompleteSelectFilter),)
    list_select_related = ("account",)
    search_fields = ("address", "reason", "account__name", "account__slug")
    search_help_text = "Address, reason or account"
    ordering = ("-created_at",)
    changes = (
        Change(
            "close",
            "Close address…",
            "Calls of this account's connections to this address are refused from now on.",
            _closed,
            icon="block",
            danger=True,
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # An owner is given once, by the scope a row is made in: no field of the model sets it.
        return ("opened_to" if obj is None else "account", "address", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpenedAddress]:
        return super().get_queryset(request).select_related("account")

    def save_model(self, request: HttpRequest, obj: OpenedAddress, form: Any, change: bool) -> None:
        """Through the service: checked, recorded in the account's trail."""
        given = form.cleaned_data
        with tenant(given["opened_to"]):
            made = open_address(given["address"], reason=given["reason"], actor=staff(request))
        obj.pk, obj.account_id = made.pk, made.account_id
