"""An e-mail backend that keeps every message as a file, beside printing it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend as ConsoleBackend

from apps.accounts.identifiers import uuid7

KEPT = 200
"""Messages kept; older ones are removed."""


class MailboxBackend(ConsoleBackend):
    """Writes ``<MAILBOX_DIR>/<uuid7>.eml`` (mode 600), which any process can read, and prints to the console."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAILBOX_DIR)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            _write(folder / f"{uuid7()}.eml", message.message().as_bytes())
        for old in sorted(folder.glob("*.eml"))[:-KEPT]:
            old.unlink(missing_ok=True)
        return super().send_messages(email_messages) or 0


def _write(path: Path, content: bytes) -> None:
    # Whole or not at all: a reader in another process must not see half a message.
    partial = path.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.rename(path)
