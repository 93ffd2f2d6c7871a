"""Mails of a local installation are kept where another process can read them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.mail import send_mail
from django.test import Client

from apps.accounts.mailbox import backend


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "apps.accounts.mailbox.backend.MailboxBackend"
    settings.MAILBOX_DIR = tmp_path / "mail"
    return tmp_path / "mail"


@pytest.mark.covers("A-01")
def test_a_sent_mail_is_shown_with_its_link(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No mail yet" in Client().get("/dev/mail/").content.decode()
    send_mail("Grüße <b>", "Open http://127.0.0.1:8000/x?a=1&b=2 now\n\nZoë", None, ["zoe@x.example"])
    page = Client().get("/dev/mail/").content.decode()
    assert "Grüße &lt;b&gt;" in page
    (file,) = folder.glob("*.eml")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    message = Client().get(f"/dev/mail/{file.stem}/").content.decode()
    assert 'href="http://127.0.0.1:8000/x?a=1&amp;b=2"' in message
    assert "Zoë" in message
    assert "Subject:" in capsys.readouterr().out


def test_the_newest_comes_first_and_the_oldest_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "KEPT", 3)
    for number in range(5):
        send_mail(f"Mail {number}", "x", None, ["x@y.example"])
    page = Client().get("/dev/mail/").content.decode()
    assert [number for number in range(5) if f"Mail {number}" in page] == [2, 3, 4]
    assert page.index("Mail 4") < page.index("Mail 2")


def test_an_unknown_mail_is_not_found(folder: Path) -> None:
    assert Client().get(f"/dev/mail/{uuid4()}/").status_code == 404
