"""Taking in a list of contacts: opening the file, starting, cancelling, clearing up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, request_context
from apps.accounts.jobs import enqueue
from apps.accounts.models import Account, Job
from apps.accounts.permissions import require
from apps.accounts.services.jobs import cancel_job, lock_job
from apps.accounts.tenancy.scope import NoScope, current_account_id, platform, tenant
from apps.vault import uploads
from apps.vault.contact_import import mapping as mappings
from apps.vault.contact_import.mapping import MappingRefused
from apps.vault.contact_import.reading import Format
from apps.vault.contact_import.rejections import Rejection, rejections_csv
from apps.vault.models import ContactImport, RejectedRows
from apps.vault.phones import known_region
from apps.vault.services.import_reading import read_file, upload_id_of

KIND = "contacts.import"
DRAFT_HOURS = 24


def import_contacts(
    *,
    actor: Actor,
    file_name: str,
    content: Iterable[bytes],
    mapping: Mapping[str, str] | None = None,
    duplicates: str = ContactImport.Duplicates.MERGE,
    default_region: str | None = None,
    encoding: str | None = None,
) -> ContactImport:
    """Store the file and queue its import as a job: both steps of the page in one.

    ``mapping`` names what is not to be guessed. ``default_region`` is the country of phone numbers without a code,
    the account's own when None. Raises PermissionDenied, ValidationError naming ``file``, ``mapping``, ….
    """
    contact_import = open_import(actor=actor, file_name=file_name, content=content, encoding=encoding)
    try:
        return start_import(
            contact_import, actor=actor, mapping=mapping or {}, duplicates=duplicates, default_region=default_region
        )
    except BaseException:
        # Not after commit: there will be none.
        uploads.destroy(_account_id(), upload_id_of(contact_import))
        raise


def open_import(
    *,
    actor: Actor,
    file_name: str,
    content: Iterable[bytes],
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
) -> ContactImport:
    """Store the file encrypted, find out how it is read and what its columns may be. Nothing is imported yet.

    Raises PermissionDenied, ValidationError naming ``file`` (or ``encoding``).
    """
    require(actor, "contacts.import")
    account_id = _account_id()
    try:
        upload_id, size = uploads.store(account_id, content, max_bytes=settings.UPLOAD_MAX_BYTES)
    except uploads.UploadTooLarge as error:
        raise ValidationError({"file": ValidationError(str(error), code="too_large")}) from error
    contact_import = ContactImport(
        account_id=account_id,
        file_name=_plain_name(file_name),
        file_bytes=size,
        upload_id=upload_id,
        default_region=Account.objects.values_list("default_region", flat=True).get(pk=account_id),
    )
    try:
        read_file(contact_import, encoding=encoding, delimiter=delimiter, header_row=header_row)
        contact_import.save(force_insert=True)
    except BaseException:
        uploads.destroy(account_id, upload_id)
        raise
    return contact_import


def start_import(
    contact_import: ContactImport,
    *,
    actor: Actor,
    mapping: Mapping[str, str],
    duplicates: str = ContactImport.Duplicates.MERGE,
    default_region: str | None = None,
) -> ContactImport:
    """Queue the import of an opened file. ``mapping`` replaces what was guessed for the columns it names.

    A second call changes nothing, except that a failed or cancelled import goes on where it stopped.
    Raises PermissionDenied, ValidationError naming the field.
    """
    require(actor, "contacts.import")
    locked = ContactImport.objects.select_for_update().get(pk=contact_import.pk)
    if locked.started_at is not None:
        return _gone_on(locked, actor)
    settle_import(locked, mapping=mapping, duplicates=duplicates, default_region=default_region)
    locked.started_by = _who(actor)
    locked.job = _enqueue(locked, actor)
    locked.save()
    audit.record(
        "contact_import.started",
        actor=actor,
        entity=locked,
        label=locked.file_name,
        changes={"rows": locked.rows_total, "duplicates": duplicates, "columns": locked.mapping},
    )
    return locked


def settle_import(
    contact_import: ContactImport, *, mapping: Mapping[str, str], duplicates: str, default_region: str | None
) -> None:
    """Take over what was decided (not saved). Raises ValidationError naming ``mapping``, ``duplicates``, ``region``."""
    form = Format.from_json(contact_import.format)
    errors: dict[str, Any] = {}
    try:
        contact_import.mapping = mappings.resolve(form.columns, contact_import.mapping, mapping)
    except MappingRefused as refused:
        errors["mapping"] = [ValidationError(found.words, code=found.code) for found in refused.contradictions]
    if duplicates not in ContactImport.Duplicates.values:
        words = (
            f"“{duplicates}” is no way to treat duplicates. Use one of {', '.join(ContactImport.Duplicates.values)}."
        )
        errors["duplicates"] = ValidationError(words, code="invalid_choice")
    if default_region and not known_region(default_region):
        words = f"“{default_region}” is no country. Use its two letters (ISO 3166), as in GB."
        errors["region"] = ValidationError(words, code="unknown_region")
    if errors:
        raise ValidationError(errors)
    contact_import.duplicates = duplicates
    if default_region is not None:
        contact_import.default_region = default_region
    contact_import.started_at = timezone.now()


def _gone_on(contact_import: ContactImport, actor: Actor) -> ContactImport:
    """Queue an import that stopped again; one that has ended or is under way stays as it is."""
    job = contact_import.job
    stopped = job is None or job.status in {Job.Status.FAILED, Job.Status.CANCELLED}
    if stopped and contact_import.rows_done < contact_import.rows_total:
        upload_id_of(contact_import)
        contact_import.job = _enqueue(contact_import, actor)
        contact_import.save(update_fields=["job", "updated_at"])
    return contact_import


def _enqueue(contact_import: ContactImport, actor: Actor) -> Job:
    payload = {"contact_import": str(contact_import.pk)}
    return enqueue(
        KIND, actor=actor, payload=payload, total=contact_import.rows_total, dedupe_key=str(contact_import.pk)
    )


def cancel_import(contact_import: ContactImport, *, actor: Actor) -> None:
    """Stop an import, or drop one that was not started. Rows that are in stay in; one that has ended stays as it is.

    Raises PermissionDenied.
    """
    require(actor, "contacts.import")
    locked = ContactImport.objects.select_for_update().get(pk=contact_import.pk)
    if locked.started_at is None:
        _destroy_upload(locked)
        locked.delete()
    elif locked.job_id is not None and not (job := lock_job(locked.job_id)).is_finished:
        cancel_job(job, actor=actor)


def note_cancelled(job: Job, actor: Actor, **_: Any) -> None:
    """After its job was cancelled, by whichever door. The file stays for a day: starting again goes on with it."""
    if job.kind != KIND:
        return
    for cancelled in ContactImport.objects.filter(job=job):
        changes = {"rows_done": cancelled.rows_done, **cancelled.counts}
        label = cancelled.file_name
        audit.record("contact_import.cancelled", actor=actor, entity=cancelled, label=label, changes=changes)


def clear_old_imports() -> int:
    """Remove drafts and the files of cancelled imports after a day, imports with their rejected rows after
    CONTACT_IMPORT_DAYS, and files nobody needs.

    Returns how many imports were removed.
    """
    now = timezone.now()
    with platform("find imports of contacts that are over"):
        drafts = ContactImport.objects.filter(started_at=None, created_at__lt=now - timedelta(hours=DRAFT_HOURS))
        over = ContactImport.objects.filter(created_at__lt=now - timedelta(days=settings.CONTACT_IMPORT_DAYS))
        over = over.exclude(job__status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
        cancelled = ContactImport.objects.filter(
            job__status=Job.Status.CANCELLED, job__finished_at__lt=now - timedelta(hours=DRAFT_HOURS), finished_at=None
        )
        closed = set(cancelled.values_list("account_id", "id"))
        removed = {*drafts.values_list("account_id", "id"), *over.values_list("account_id", "id")}
    for account_id, import_id in removed:
        with tenant(account_id):
            ContactImport.objects.filter(pk=import_id).delete()
    for account_id, import_id in closed - removed:
        with tenant(account_id):
            _close(import_id)
    for account_id, upload_id in uploads.stored_before(DRAFT_HOURS * 3600):
        with tenant(account_id):
            if not ContactImport.objects.filter(upload_id=upload_id).exists() and not uploads.is_held(upload_id):
                uploads.destroy(account_id, upload_id)
    return len(removed)


def _close(import_id: UUID) -> None:
    found = ContactImport.objects.select_for_update(of=("self",)).select_related("job").filter(pk=import_id).first()
    if found is not None and found.job is not None and found.job.status == Job.Status.CANCELLED:
        _destroy_upload(found)
        ContactImport.objects.filter(pk=import_id).update(upload_id=None, finished_at=timezone.now())


def rejected_csv(contact_import: ContactImport) -> Iterator[str]:
    """The rejected rows in the file's own columns, with row and reason, in pieces."""
    form = Format.from_json(contact_import.format)
    return rejections_csv(form.columns, rejections(contact_import), delimiter=form.delimiter)


def rejections(contact_import: ContactImport) -> Iterator[Rejection]:
    """The rejected rows in the order of the file."""
    stored = RejectedRows.objects.filter(contact_import=contact_import).order_by("first_row")
    for chunk in stored.iterator(chunk_size=10):
        for row in chunk.rows:
            yield Rejection(*row)


def _who(actor: Actor) -> dict[str, Any]:
    context = request_context()
    return {
        "kind": actor.kind,
        "id": str(actor.id) if actor.id else None,
        "label": actor.label,
        "role": actor.role.value if actor.role else None,
        "user_id": str(actor.user_id) if actor.user_id else None,
        "request_id": context.request_id,
        "ip": context.ip,
        "user_agent": context.user_agent,
    }


def _destroy_upload(contact_import: ContactImport) -> None:
    account_id, upload_id = _account_id(), contact_import.upload_id
    if upload_id is not None:
        transaction.on_commit(lambda: uploads.destroy(account_id, upload_id))


def _account_id() -> UUID:
    account_id = current_account_id()
    if account_id is None:
        raise NoScope("Contacts are imported in the scope of their account.")
    return account_id


def _plain_name(file_name: str) -> str:
    """The last part of a path, without control characters, short enough to show."""
    name = file_name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:200] or "contacts.csv"
