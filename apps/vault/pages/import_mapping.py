"""Step two of an import: how its file is read, what its columns become, and what else is decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.pages.door import account_of, done, is_part, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.regions import regions
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.vault.contact_import import mapping as mappings
from apps.vault.contact_import.reading import Format
from apps.vault.models import ContactImport
from apps.vault.pages.import_reading import ReadingForm
from apps.vault.services import contact_imports as service
from apps.vault.services.import_reading import SAMPLE_ROWS, reread_import, sample

SAMPLES = 2


class DecisionsForm(forms.Form):
    """What the second step decides beside the columns."""

    duplicates = forms.ChoiceField(choices=ContactImport.Duplicates.choices, label="Rows of contacts you have already")
    default_region = forms.ChoiceField(label="Phone numbers without + belong to")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["default_region"].choices = regions()  # type: ignore[attr-defined]


@tenant_page("contacts.import", "POST")
def reading(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Read the file in another way: the preview and the guesses follow, what was decided stays."""
    found = the_import(import_id)
    if found.started_at is not None:
        return done(request, import_url(request, found))
    return _read_as_asked(request, found)


def _read_as_asked(request: HttpRequest, found: ContactImport) -> HttpResponse:
    own = _changed_columns(found, request)
    form, refused = ReadingForm(found, request.POST), []
    if form.is_valid():
        try:
            found = reread_import(found, actor=actor_of(request), **form.cleaned_data)
        except ValidationError as error:
            refused = error.messages
    else:
        refused = ["Choose one of what is offered."]
    if not refused and not is_part(request):
        return done(request, import_url(request, found))
    kept = {column: field for column, field in own.items() if column in found.mapping}
    return mapping_step(request, found, _decided_so_far(found, request), chosen=kept, refused=refused)


def the_import(import_id: UUID) -> ContactImport:
    """The import of an address. Raises Http404."""
    found: ContactImport | None = ContactImport.objects.select_related("job").filter(pk=import_id).first()
    if found is None:
        raise Http404("No such import.")
    return found


def start(request: HttpRequest, found: ContactImport) -> HttpResponse:
    """Begin an import as decided, or go on with one that stopped.

    Sent with another reading than the one shown (before the page followed), it shows that one first.
    """
    if found.started_at is None and "delimiter" in request.POST and ReadingForm(found, request.POST).has_changed():
        return _read_as_asked(request, found)
    if found.started_at is not None:
        return _go_on(request, found)
    form = _decisions(found, request)
    mapping = _given_columns(found, request)
    if not form.is_valid():
        return mapping_step(request, found, form, chosen=mapping)
    try:
        service.start_import(found, actor=actor_of(request), mapping=mapping, **form.cleaned_data)
    except ValidationError as error:
        add_errors(form, error)
        return mapping_step(request, found, form, chosen=mapping)
    return done(request, import_url(request, found))


def _go_on(request: HttpRequest, found: ContactImport) -> HttpResponse:
    try:
        service.start_import(found, actor=actor_of(request), mapping={})
    except ValidationError as gone:
        return done(request, import_url(request, found), " ".join(gone.messages))
    return done(request, import_url(request, found))


def _given_columns(found: ContactImport, request: HttpRequest) -> dict[str, str]:
    columns = Format.from_json(found.format).columns
    given = {column: request.POST.get(f"column_{number}", "") for number, column in enumerate(columns)}
    return {column: field for column, field in given.items() if field}


def _changed_columns(found: ContactImport, request: HttpRequest) -> dict[str, str]:
    """What people chose themselves, against the guess."""
    given = _given_columns(found, request)
    return {column: field for column, field in given.items() if field != found.mapping.get(column)}


def mapping_step(
    request: HttpRequest,
    found: ContactImport,
    form: DecisionsForm | None = None,
    *,
    chosen: dict[str, str] | None = None,
    refused: list[str] | None = None,
) -> HttpResponse:
    """The page of step two: how the file is read, and what each column becomes, beside its first values."""
    form = form or _decisions(found)
    read = Format.from_json(found.format)
    samples, damaged = sample(found, SAMPLES)
    mapping = {**found.mapping, **(chosen or {})}
    columns = [
        {
            "number": number,
            "name": name,
            "samples": [row[number] for row in samples if number < len(row) and row[number].strip()],
            "choices": _choices(name, mapping[name]),
        }
        for number, name in enumerate(read.columns)
    ]
    context = {
        "import": found,
        "read": read,
        "reading": ReadingForm(found),
        "refused": refused,
        "damaged": damaged,
        "looked_at": min(SAMPLE_ROWS, read.rows),
        "columns": columns,
        "form": form,
        "step": 2,
    }
    template = "vault/imports/mapping.html" if is_part(request) else "vault/imports/map.html"
    return render(request, template, context, status=422 if form.errors or refused else 200)


def _choices(column: str, chosen: str) -> list[tuple[str, str, bool]]:
    own = chosen if chosen.startswith(mappings.ATTRIBUTE) else mappings.ATTRIBUTE + mappings.attribute_key(column)
    return [(field, mappings.label(field), field == chosen) for field in (*mappings.FIELDS, own, mappings.LEAVE_OUT)]


def _decisions(found: ContactImport, request: HttpRequest | None = None) -> DecisionsForm:
    initial = {"duplicates": found.duplicates, "default_region": found.default_region}
    return DecisionsForm(request.POST if request else None, initial=initial)


def _decided_so_far(found: ContactImport, request: HttpRequest) -> DecisionsForm:
    """The decisions as they stand on the page, not judged yet."""
    form = _decisions(found)
    form.initial.update({name: request.POST[name] for name in form.fields if request.POST.get(name)})
    return form


def import_url(request: HttpRequest, found: ContactImport) -> str:
    """The address of an import's page."""
    return address(account_of(request), "contacts_import_one", import_id=found.pk)
