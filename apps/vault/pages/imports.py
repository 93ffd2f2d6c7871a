"""Importing contacts in steps: choose a file, map its columns, watch it, review what was rejected."""

from __future__ import annotations

from itertools import islice
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import content_disposition_header

from apps.accounts.models import Job
from apps.accounts.pages.door import account_of, done, is_part, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.regions import regions
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.vault.contact_import import mapping as mappings
from apps.vault.contact_import.reading import Format
from apps.vault.contact_import.rejections import Rejection, rejections_csv
from apps.vault.models import ContactImport, RejectedRows
from apps.vault.services import contact_imports as service

# htmx stops asking when it gets this status, and still swaps the answer in.
STOP_POLLING = 286
SHOWN_IMPORTS, SHOWN_REJECTIONS, SAMPLES = 5, 8, 2


class FileForm(forms.Form):
    """The file of the first step."""

    file = forms.FileField(
        label="CSV file",
        allow_empty_file=True,
        error_messages={"required": "Choose a file.", "missing": "Choose a file."},
    )


class DecisionsForm(forms.Form):
    """What the second step decides beside the columns."""

    duplicates = forms.ChoiceField(choices=ContactImport.Duplicates.choices, label="Rows of contacts you have already")
    default_region = forms.ChoiceField(label="Phone numbers without + belong to")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["default_region"].choices = regions()  # type: ignore[attr-defined]


@tenant_page("contacts.import", "GET", "POST")
def choose(request: HttpRequest) -> HttpResponse:
    """Step one: the file. It is read at once, and nothing is imported yet."""
    form = FileForm(*(request.POST, request.FILES) if request.method == "POST" else ())
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            opened = service.open_import(actor=actor_of(request), file_name=file.name or "", content=file.chunks())
        except ValidationError as error:
            add_errors(form, error)
        else:
            return HttpResponseRedirect(_url(request, opened))
    newest = ContactImport.objects.select_related("job").order_by("-created_at")[:SHOWN_IMPORTS]
    recent = [{"import": found, "state": _state(found), "url": _url(request, found)} for found in newest]
    context = {"form": form, "recent": recent, "step": 1}
    return render(request, "vault/imports/choose.html", context, status=422 if form.errors else 200)


@tenant_page("contacts.import", "GET", "POST")
def one(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Steps two to four of one import: whichever it has got to. POST begins it, or goes on with a failed one."""
    found = _import(import_id)
    if request.method == "POST":
        return _start(request, found)
    if found.started_at is None:
        return _mapping(request, found, _decisions(found))
    state = _state(found)
    rejected = _rejections(found)
    context = {
        "import": found,
        "state": state,
        "step": 3 if state in {"queued", "running", "failed"} else 4,
        "rejections": list(islice(rejected, SHOWN_REJECTIONS)),
        "form_name": Format.from_json(found.format).encoding_name,
    }
    if is_part(request):
        status = 200 if state in {"queued", "running"} else STOP_POLLING
        return render(request, "vault/imports/progress.html", context, status=status)
    return render(request, "vault/imports/one.html", context)


@tenant_page("contacts.import", "POST")
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Stop an import, or drop one that has not begun."""
    found = _import(import_id)
    begun = found.started_at is not None
    service.cancel_import(found, actor=actor_of(request))
    if begun:
        return done(request, _url(request, found), "The import is stopped. The rows that are in stay in.")
    return done(request, address(account_of(request), "contacts"), "The file is removed. Nothing was imported.")


@tenant_page("contacts.import")
def rejected(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The rejected rows as a CSV that can be corrected and imported again."""
    found = _import(import_id)
    columns = Format.from_json(found.format).columns
    content = "".join(rejections_csv(columns, _rejections(found)))
    answer = HttpResponse(content.encode(), content_type="text/csv; charset=utf-8")
    name = found.file_name.rpartition(".")[0] or found.file_name
    answer["Content-Disposition"] = content_disposition_header(True, f"{name}-rejected.csv") or "attachment"
    return answer


def _import(import_id: UUID) -> ContactImport:
    found: ContactImport | None = ContactImport.objects.select_related("job").filter(pk=import_id).first()
    if found is None:
        raise Http404("No such import.")
    return found


def _start(request: HttpRequest, found: ContactImport) -> HttpResponse:
    columns = Format.from_json(found.format).columns
    form = _decisions(found, request)
    given = {column: request.POST.get(f"column_{number}", "") for number, column in enumerate(columns)}
    mapping = {column: field for column, field in given.items() if field}
    if found.started_at is None and not form.is_valid():
        return _mapping(request, found, form, chosen=mapping)
    decided = form.cleaned_data if found.started_at is None else {}
    try:
        service.start_import(found, actor=actor_of(request), mapping=mapping, **decided)
    except ValidationError as error:
        add_errors(form, error)
        return _mapping(request, found, form, chosen=mapping)
    return done(request, _url(request, found))


def _mapping(
    request: HttpRequest, found: ContactImport, form: DecisionsForm, *, chosen: dict[str, str] | None = None
) -> HttpResponse:
    """Step two: what each column becomes, beside its first values."""
    read = Format.from_json(found.format)
    samples = service.sample(found, SAMPLES)
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
    context = {"import": found, "read": read, "columns": columns, "form": form, "step": 2}
    return render(request, "vault/imports/map.html", context, status=422 if form.errors else 200)


def _choices(column: str, chosen: str) -> list[tuple[str, str, bool]]:
    own = chosen if chosen.startswith(mappings.ATTRIBUTE) else mappings.ATTRIBUTE + mappings.attribute_key(column)
    return [(field, mappings.label(field), field == chosen) for field in (*mappings.FIELDS, own, mappings.LEAVE_OUT)]


def _decisions(found: ContactImport, request: HttpRequest | None = None) -> DecisionsForm:
    initial = {"duplicates": found.duplicates, "default_region": found.default_region}
    return DecisionsForm(request.POST if request else None, initial=initial)


def _rejections(found: ContactImport) -> Any:
    chunks = RejectedRows.objects.filter(contact_import=found).order_by("first_row")
    return (Rejection(*row) for chunk in chunks.iterator() for row in chunk.rows)


def _state(found: ContactImport) -> str:
    """draft, queued, running, failed, cancelled or done."""
    if found.started_at is None:
        return "draft"
    if found.job is not None and found.job.status == Job.Status.CANCELLED:
        return "cancelled"
    if found.finished_at is not None:
        return "done"
    return str(found.job.status) if found.job is not None else "failed"


def _url(request: HttpRequest, found: ContactImport) -> str:
    return address(account_of(request), "contacts_import_one", import_id=found.pk)
