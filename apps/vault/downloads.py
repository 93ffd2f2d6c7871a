"""Files that pages and API give alike."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from apps.vault.models import ContactImport
from apps.vault.services.contact_imports import rejected_csv


def rejected_rows(contact_import: ContactImport) -> HttpResponse:
    """The rejected rows of an import as a CSV. Raises ValidationError for one that was not started."""
    if contact_import.started_at is None:
        raise ValidationError("The import has not been started.", code="not_started")
    name = contact_import.file_name.rpartition(".")[0] or contact_import.file_name
    download = HttpResponse("".join(rejected_csv(contact_import)).encode(), content_type="text/csv; charset=utf-8")
    download.headers["Content-Disposition"] = content_disposition_header(True, f"{name}-rejected.csv") or "attachment"
    return download
