"""Files that come with messages: taken in, given out, destroyed with what they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.signals import pre_delete
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.chat.models import Attachment, Message
from apps.vault import uploads

MOST_FILES = 10
# What is taken in, and the type it is given out as: never the one that the sender claims.
TYPES = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "webp": "image/webp",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ACCEPTED = ",".join(f".{ending}" for ending in TYPES)


class SentFile(Protocol):
    """What Django and REST framework make of an upload."""

    name: str | None
    size: int | None

    def chunks(self) -> Iterable[bytes]: ...


def check_files(files: Sequence[SentFile]) -> None:
    """Raise ValidationError naming ``files`` for what is not taken in, before anything is stored."""
    if len(files) > MOST_FILES:
        raise _refused(f"Send at most {MOST_FILES} files at once.", "too_many")
    for file in files:
        if _ending(file) not in TYPES:
            kinds = ", ".join(TYPES)
            raise _refused(f"“{_name(file)}” is of a kind that is not taken in. These are: {kinds}.", "type")
        if not file.size:
            raise _refused(f"“{_name(file)}” is empty.", "empty")
        if file.size > settings.ATTACHMENT_MAX_BYTES:
            raise _refused(_too_large(file), "too_large")


def attach(message: Message, files: Sequence[SentFile], *, actor: Actor) -> list[Attachment]:
    """Store ``files`` encrypted and list them with ``message``. Raises PermissionDenied, ValidationError."""
    require(actor, "conversations.reply")
    check_files(files)
    return [_attach(message, file) for file in files]


def names_of(files: Sequence[SentFile]) -> str:
    """What a message says that consists of files alone."""
    return ", ".join(_name(file) for file in files)


def download(attachment: Attachment) -> HttpResponse:
    """The file, for keeping: no browser shows it in the product's own name."""
    with uploads.open_upload(_account(attachment), attachment.upload_id) as file:
        answer = HttpResponse(file.read(), content_type=attachment.content_type)
    answer["Content-Disposition"] = content_disposition_header(True, attachment.file_name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "private, no-store"
    return answer


def destroy_file(sender: Any, instance: Attachment, **_: Any) -> None:
    """The file goes when its row is gone for good."""
    transaction.on_commit(partial(uploads.destroy, _account(instance), instance.upload_id))


def is_attached(upload_id: UUID) -> bool:
    """Whether a message of the account in scope holds this upload."""
    return Attachment.objects.filter(upload_id=upload_id).exists()


def connect() -> None:
    """Called once, at start-up."""
    pre_delete.connect(destroy_file, sender=Attachment, dispatch_uid="chat.destroy_attached_file")
    uploads.hold(is_attached)


def _attach(message: Message, file: SentFile) -> Attachment:
    try:
        upload_id, size = uploads.store(_account(message), file.chunks(), max_bytes=settings.ATTACHMENT_MAX_BYTES)
    except uploads.UploadTooLarge:
        raise _refused(_too_large(file), "too_large") from None
    made: Attachment = Attachment.objects.create(
        message=message, file_name=_name(file), content_type=TYPES[_ending(file)], size=size, upload_id=upload_id
    )
    return made


def _account(row: Any) -> UUID:
    found: UUID = row.account_id
    return found


def _name(file: SentFile) -> str:
    return "".join(letter for letter in PurePath(file.name or "file").name if letter.isprintable())[-200:] or "file"


def _ending(file: SentFile) -> str:
    return PurePath(file.name or "").suffix.lower().removeprefix(".")


def _too_large(file: SentFile) -> str:
    return f"“{_name(file)}” is larger than {settings.ATTACHMENT_MAX_BYTES / 1e6:,.0f} MB."


def _refused(words: str, code: str) -> ValidationError:
    return ValidationError({"files": ValidationError(words, code=code)})
