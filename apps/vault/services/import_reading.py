"""How the file of an import is read: found out when it arrives, changed by people before it begins."""

from __future__ import annotations

from itertools import islice
from typing import IO, cast
from uuid import UUID

from django.core.exceptions import ValidationError

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.vault import uploads
from apps.vault.contact_import import mapping as mappings
from apps.vault.contact_import import reading
from apps.vault.contact_import.reading import Format, UnreadableFile, inspect, rows
from apps.vault.contact_import.records import Record
from apps.vault.models import ContactImport

SAMPLE_ROWS = 200


def read_file(
    contact_import: ContactImport,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
) -> None:
    """Find out (again) how the stored file is read; sets ``format``, ``mapping``, ``rows_total`` (not saved).

    What is given is not guessed; ``header_row`` 0 says that no row names the columns.
    Raises ValidationError naming ``file`` or ``encoding``.
    """
    with stored_file(contact_import) as file:
        try:
            form = inspect(file, encoding=encoding, delimiter=delimiter, header_row=header_row)
        except UnreadableFile as error:
            field = "encoding" if error.code == "unknown_encoding" else "file"
            raise ValidationError({field: ValidationError(str(error), code=error.code)}) from error
        cells = [row.cells for row in islice(rows(file, form), SAMPLE_ROWS) if row.fault is None]
    contact_import.format = form.as_json()
    contact_import.mapping = mappings.guess(form.columns, cells)
    contact_import.rows_total = form.rows


def reread_import(
    contact_import: ContactImport, *, actor: Actor, encoding: str, delimiter: str, header_row: int
) -> ContactImport:
    """Read an opened file the way people say. The columns are guessed anew; one that has begun stays as it is.

    Raises PermissionDenied, ValidationError naming ``file`` or ``encoding``; then it is read as before.
    """
    require(actor, "contacts.import")
    locked = ContactImport.objects.select_for_update().get(pk=contact_import.pk)
    if locked.started_at is None:
        read_file(locked, encoding=encoding, delimiter=delimiter, header_row=header_row)
        locked.save(update_fields=["format", "mapping", "rows_total", "updated_at"])
    return locked


def first_rows(contact_import: ContactImport, count: int) -> list[Record]:
    """The first rows as they stand in the file, header and titles included."""
    with stored_file(contact_import) as file:
        return reading.first_rows(file, Format.from_json(contact_import.format), count)


def sample(contact_import: ContactImport, count: int = 3) -> tuple[list[list[str]], int]:
    """The cells of the first ``count`` sound rows, and how many of the first SAMPLE_ROWS are damaged as read now."""
    form = Format.from_json(contact_import.format)
    with stored_file(contact_import) as file:
        found = list(islice(rows(file, form), SAMPLE_ROWS))
    sound = [row.cells for row in found if row.fault is None]
    return sound[:count], len(found) - len(sound)


def stored_file(contact_import: ContactImport) -> IO[bytes]:
    """The uploaded file, decrypted. Raises ValidationError naming ``file`` once it is gone."""
    return uploads.open_upload(cast(UUID, contact_import.account_id), upload_id_of(contact_import))


def upload_id_of(contact_import: ContactImport) -> UUID:
    """Raises ValidationError naming ``file`` once the file is gone."""
    if contact_import.upload_id is None:
        raise ValidationError({"file": ValidationError("The file is gone. Upload it again.", code="gone")})
    return contact_import.upload_id
