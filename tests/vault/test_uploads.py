"""Uploaded files lie encrypted, whole, and only where they belong."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.test import RequestFactory

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.vault import uploads
from apps.vault.keys import DecryptionFailed
from apps.vault.upload_handler import SealedUploadHandler
from tests.factories import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-01")]
PIECE = uploads.PIECE_BYTES


@pytest.fixture
def account() -> Account:
    return make_account()


def stored(account: Account, content: bytes) -> UUID:
    with tenant(account):
        blocks = [content[start : start + 1000] for start in range(0, len(content), 1000)]
        return uploads.store(account.id, blocks, max_bytes=10**9)[0]


def read(account: Account, upload_id: UUID) -> bytes:
    with tenant(account), uploads.open_upload(account.id, upload_id) as file:
        return file.read()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 777])
def test_what_was_stored_is_read_back(account: Account, size: int) -> None:
    content = os.urandom(size)
    assert read(account, stored(account, content)) == content


def test_reading_can_begin_anywhere(account: Account) -> None:
    content = os.urandom(3 * PIECE)
    upload_id = stored(account, content)
    with tenant(account), uploads.open_upload(account.id, upload_id) as file:
        for position in (2 * PIECE + 5, 0, PIECE - 3, PIECE):
            assert file.seek(position) == position
            assert file.read(10) == content[position : position + 10]
        assert file.seek(0, io.SEEK_END) == len(content)
        assert file.read() == b""


def _path(tmp_path: Path) -> Path:
    (path,) = tmp_path.glob("uploads/*/*.bin")
    return path


SEALED_PIECE = PIECE + 33
HEAD = 5


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:-SEALED_PIECE], id="the last piece is cut off"),
        pytest.param(lambda data: data[:-1], id="the last byte is cut off"),
        pytest.param(lambda data: data[:HEAD], id="everything is cut off"),
        pytest.param(
            lambda data: data[:HEAD] + data[HEAD + SEALED_PIECE :] + data[HEAD : HEAD + SEALED_PIECE],
            id="pieces swapped",
        ),
        pytest.param(lambda data: data + data[HEAD : HEAD + SEALED_PIECE], id="a piece repeated"),
        pytest.param(lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], id="a bit changed"),
    ],
)
def test_a_changed_file_does_not_open(account: Account, tmp_path: Path, spoil: Any) -> None:
    upload_id = stored(account, os.urandom(2 * PIECE))
    path = _path(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DecryptionFailed):
        read(account, upload_id)


def test_a_file_does_not_open_elsewhere(account: Account, tmp_path: Path) -> None:
    upload_id, other = stored(account, b"secret"), make_account()
    path = _path(tmp_path)
    elsewhere = tmp_path / "uploads" / str(other.id) / path.name
    elsewhere.parent.mkdir()
    path.rename(elsewhere)
    with pytest.raises(DecryptionFailed):
        read(other, upload_id)


def test_too_large_a_file_leaves_nothing(account: Account, tmp_path: Path) -> None:
    with tenant(account), pytest.raises(uploads.UploadTooLarge, match="1 MB"):
        uploads.store(account.id, (b"x" * 1000 for _ in range(2000)), max_bytes=1_000_000)
    assert not list(tmp_path.glob("uploads/*/*"))


def test_an_interrupted_upload_leaves_nothing(account: Account, tmp_path: Path) -> None:
    def torn() -> Any:
        yield b"x" * 1000
        raise ConnectionError

    with tenant(account), pytest.raises(ConnectionError):
        uploads.store(account.id, torn(), max_bytes=1_000_000)
    assert not list(tmp_path.glob("uploads/*/*"))


def _posted(content: bytes) -> HttpRequest:
    file = io.BytesIO(content)
    file.name = "people.csv"
    return RequestFactory().post("/", {"file": file})


def test_a_large_upload_reaches_the_disk_encrypted_only(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    append = SealedUploadHandler.receive_data_chunk

    def watching(self: FileUploadHandler, raw_data: bytes, start: int) -> Any:
        answer = append(self, raw_data, start)  # type: ignore[arg-type]
        self._sealed._file.flush()  # type: ignore[attr-defined]
        written.append(os.pread(self._sealed._file.fileno(), 10**8, 0))  # type: ignore[attr-defined]
        return answer

    monkeypatch.setattr(SealedUploadHandler, "receive_data_chunk", watching)
    content = b"zoe@mail.example," * 400_000
    upload = _posted(content).FILES["file"]
    assert b"".join(upload.chunks()) == content
    assert b"".join(upload.chunks()) == content, "chunks can be read twice"
    assert upload.size == len(content)
    assert written and not any(b"zoe@" in found for found in written)


def test_an_upload_over_the_limit_is_not_kept(settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 3_000_000
    upload = _posted(b"x" * 9_000_000).FILES["file"]
    kept = sum(map(len, upload.chunks()))
    assert settings.UPLOAD_MAX_BYTES < kept < 4_000_000
