"""Reading the kept messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

LINK = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True)
class Mail:
    """A message as it is shown. ``links`` are the addresses in its text."""

    id: UUID
    to: str
    subject: str
    at: datetime
    text: str

    @property
    def links(self) -> list[str]:
        return LINK.findall(self.text)


def all_mails() -> list[Mail]:
    """Newest first."""
    return [_read(path) for path in sorted(_folder().glob("*.eml"), reverse=True)]


def one_mail(mail_id: UUID) -> Mail | None:
    """A message by its id, or None."""
    path = _folder() / f"{mail_id}.eml"
    return _read(path) if path.is_file() else None


def _folder() -> Path:
    return Path(settings.MAILBOX_DIR)


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(preferencelist=("plain", "html"))
    return Mail(
        id=UUID(path.stem),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        at=_aware(parsedate_to_datetime(str(message["Date"]))),
        text=body.get_content().strip() if body else "",
    )


def _aware(at: datetime) -> datetime:
    """RFC 5322 writes UTC without a place as -0000, which Python reads as no zone at all."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
