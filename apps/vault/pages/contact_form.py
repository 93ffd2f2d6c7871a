"""Making and changing a contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from apps.accounts.pages.door import account_of, done, is_part, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.regions import regions
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.vault.models import Contact
from apps.vault.pages.attribute_rows import AttributeRows
from apps.vault.pages.contact import locked, shown_contact
from apps.vault.services.contacts import create_contact, update_contact
from apps.vault.templatetags.contacts import as_text, called, phone

TEXTS = ("name", "email", "phone", "identifier")


class ContactForm(forms.Form):
    """What people type; ``contact_values`` decides whether it is right."""

    name = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.CharField(required=False, label="E-mail", widget=forms.EmailInput)
    phone = forms.CharField(required=False, widget=forms.TextInput(attrs={"type": "tel"}))
    identifier = forms.CharField(required=False)
    contact_type = forms.ChoiceField(label="Type", choices=Contact.Type.choices)


@tenant_page("contacts.create", "GET", "POST")
def create(request: HttpRequest) -> HttpResponse:
    """A new contact."""
    form = ContactForm(_posted(request), initial={"contact_type": Contact.Type.LEAD})
    rows = AttributeRows.posted(request.POST, {}) if request.method == "POST" else AttributeRows.of({})
    if rows.only_rows_wanted(request.POST):
        return _rows(request, form, rows)
    if form.is_valid() and (values := _values(form, rows)) is not None:
        try:
            made = create_contact(actor=actor_of(request), **values)
        except ValidationError as error:
            _refuse(form, rows, error)
        else:
            return done(request, _url(request, made.id), f"{called(made)} is in your contacts.")
    return _page(request, form, rows)


@tenant_page("contacts.update", "GET", "POST")
def edit(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Change a contact. What somebody else changed meanwhile is not overwritten unseen."""
    if request.method != "POST":
        before = shown_contact(contact_id)
        rows = AttributeRows.of(before["custom_attributes"] or {})
        return _page(request, ContactForm(initial=_initial(before)), rows, before)
    held = locked(contact_id)
    before = {name: getattr(held, name) for name in (*TEXTS, "contact_type", "custom_attributes", "updated_at", "id")}
    form, rows = ContactForm(_posted(request)), AttributeRows.posted(request.POST, held.custom_attributes or {})
    if rows.only_rows_wanted(request.POST):
        return _rows(request, form, rows, before)
    if form.is_valid() and (values := _values(form, rows)) is not None and not _overtaken(request, form, before):
        try:
            update_contact(held, actor=actor_of(request), **values)
        except ValidationError as error:
            _refuse(form, rows, error)
        else:
            return done(request, _url(request, contact_id), "Saved.")
    return _page(request, form, rows, before)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _initial(contact: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: contact[name] for name in (*TEXTS, "contact_type")}
    return {**values, "phone": phone(contact["phone"])}


def _values(form: ContactForm, rows: AttributeRows) -> dict[str, Any] | None:
    """What the service takes; None when the attributes' rows contradict themselves."""
    try:
        return {**form.cleaned_data, "custom_attributes": rows.values()}
    except ValidationError as error:
        rows.error = " ".join(error.messages)
        return None


def _refuse(form: ContactForm, rows: AttributeRows, error: ValidationError) -> None:
    """Put each refusal where its cause is."""
    at_fields = error.error_dict if hasattr(error, "error_dict") else {}
    if found := at_fields.pop("custom_attributes", None):
        rows.error = " ".join(message for part in found for message in part.messages)
    if at_fields:
        add_errors(form, ValidationError(at_fields))
    elif not found:
        add_errors(form, error)


def _overtaken(request: HttpRequest, form: ContactForm, before: Mapping[str, Any]) -> bool:
    """Whether somebody else saved since the form was opened; then it says what they saved."""
    if request.POST.get("version", "") in {"", before["updated_at"].isoformat()}:
        return False
    words = "Somebody changed this contact after you opened it. What you typed is still here. Save again to keep it."
    form.add_error(None, ValidationError(words, code="overtaken"))
    return True


def _page(
    request: HttpRequest, form: ContactForm, rows: AttributeRows, before: Mapping[str, Any] | None = None
) -> HttpResponse:
    faulty = bool(form.errors or rows.error)
    context = _context(request, form, rows, before)
    return render(request, "vault/contacts/form.html", context, status=422 if faulty else 200)


def _rows(
    request: HttpRequest, form: ContactForm, rows: AttributeRows, before: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The form with a row more or less; nothing is checked or saved."""
    rows.change(request.POST)
    if is_part(request):
        return render(request, "vault/contacts/attribute_rows.html", {"rows": rows})
    unchecked = ContactForm(initial={name: request.POST.get(name, "") for name in form.fields})
    return render(request, "vault/contacts/form.html", _context(request, unchecked, rows, before))


def _context(
    request: HttpRequest, form: ContactForm, rows: AttributeRows, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    told = form.has_error(NON_FIELD_ERRORS, "overtaken") if form.is_bound else False
    fresh = before["updated_at"].isoformat() if before else ""
    return {
        "form": form,
        "rows": rows,
        "before": before,
        # Who was told of somebody else's change may save over it; nobody else may.
        "version": fresh if told or request.method != "POST" else request.POST.get("version", ""),
        "overtaken": _differences(form, rows, before) if told and before else [],
        "back": _url(request, before["id"]) if before else address(account_of(request), "contacts"),
        "phone_hint": f"Written without +, it is read as {dict(regions())[account_of(request).default_region]}.",
    }


def _differences(form: ContactForm, rows: AttributeRows, before: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is stored where the form says something else: ``(label, stored value)``."""
    stored = _initial(before)
    names = [name for name in stored if (stored[name] or "") != form.cleaned_data.get(name, "")]
    found = [(str(form[name].label), str(stored[name] or "")) for name in names]
    attributes = before["custom_attributes"] or {}
    if rows.values() != attributes:
        found += [(name, as_text(value)) for name, value in sorted(attributes.items())]
    return found


def _url(request: HttpRequest, contact_id: UUID) -> str:
    return address(account_of(request), "contact", contact_id=contact_id)
