"""Importing contacts in steps: choose a file, map its columns, watch it, review what was rejected."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.models import Job
from apps.accounts.pages.door import account_of, done, is_part, tenant_page
from apps.accounts.pages.forms import add_errors
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.vault.contact_import.reading import Format
from apps.vault.downloads import rejected_rows
from apps.vault.models import ContactImport
from apps.vault.pages.import_mapping import import_url, mapping_step, start, the_import
from apps.vault.services import contact_imports as service

# htmx stops asking when it gets this status, and still swaps the answer in.
STOP_POLLING = 286
SHOWN_IMPORTS, SHOWN_REJECTIONS = 5, 8


class FileForm(forms.Form):
    """The file of the first step."""

    file = forms.FileField(
        label="CSV file",
        allow_empty_file=True,
        error_messages={"required": "Choose a file.", "missing": "Choose a file."},
    )


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
            return HttpResponseRedirect(import_url(request, opened))
    newest = ContactImport.objects.select_related("job").order_by("-created_at")[:SHOWN_IMPORTS]
    recent = [{"import": found, "state": _state(found), "url": import_url(request, found)} for found in newest]
    context = {"form": form, "recent": recent, "step": 1}
    return render(request, "vault/imports/choose.html", context, status=422 if form.errors else 200)


@tenant_page("contacts.import", "GET", "POST")
def one(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Steps two to four of one import: whichever it has got to. POST begins it, or goes on with one that stopped."""
    found = the_import(import_id)
    if request.method == "POST":
        return start(request, found)
    if found.started_at is None:
        return mapping_step(request, found)
    state = _state(found)
    context = {
        "import": found,
        "state": state,
        "left": time_left(found, timezone.now()) if state == "running" else "",
        "step": 3 if state in {"queued", "running", "failed"} else 4,
        "may_go_on": state == "failed" or (state == "cancelled" and found.upload_id is not None),
        "rejections": list(islice(service.rejections(found), SHOWN_REJECTIONS)),
        "form_name": Format.from_json(found.format).encoding_name,
    }
    if is_part(request):
        status = 200 if state in {"queued", "running"} else STOP_POLLING
        return render(request, "vault/imports/progress.html", context, status=status)
    return render(request, "vault/imports/one.html", context)


@tenant_page("contacts.import", "POST")
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Stop an import, or drop one that has not begun."""
    found = the_import(import_id)
    begun = found.started_at is not None
    service.cancel_import(found, actor=actor_of(request))
    if begun:
        return done(request, import_url(request, found), "The import is stopped. The rows that are in stay in.")
    return done(request, address(account_of(request), "contacts"), "The file is removed. Nothing was imported.")


@tenant_page("contacts.import")
def rejected(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The rejected rows as a CSV that can be corrected and imported again."""
    found = the_import(import_id)
    if found.started_at is None:
        return done(request, import_url(request, found), "Nothing is rejected yet: the import has not begun.")
    return rejected_rows(found)


def time_left(found: ContactImport, now: datetime) -> str:
    """How long a running import will still take at the pace so far: "about 20 seconds left". "" when nobody can say."""
    if found.started_at is None or not found.rows_done:
        return ""
    left = (now - found.started_at).total_seconds() / found.rows_done * (found.rows_total - found.rows_done)
    if left < 10:
        return "a few seconds left"
    if left < 90:
        return f"about {round(left, -1):.0f} seconds left"
    return f"about {round(left / 60)} minutes left"


def _state(found: ContactImport) -> str:
    """draft, queued, running, failed, cancelled or done."""
    if found.started_at is None:
        return "draft"
    if found.job is not None and found.job.status == Job.Status.CANCELLED:
        return "cancelled"
    if found.finished_at is not None:
        return "done"
    return str(found.job.status) if found.job is not None else "failed"
