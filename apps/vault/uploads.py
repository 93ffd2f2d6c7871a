"""Uploaded files on disk, encrypted under the account's key as they arrive.

A file is cut into pieces of 256 KiB, each encrypted on its own, so that neither writing nor reading ever
holds more than one. The associated data of a piece binds it to account, file, position and whether it is the
last: pieces can't be swapped, repeated, moved to another file or cut off the end (the STREAM construction of
Hoang, Reyhanitabar, Rogaway and Vizár, 2015, with the vault's own AEAD).
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.accounts.identifiers import uuid7
from apps.vault.keys import account_keys

PIECE_BYTES = 256 * 1024
_MAGIC = b"SRUP\x01"
# What Tink adds to each piece: 5 bytes of key name, 12 of nonce, 16 of tag.
_OVERHEAD = 33


class UploadTooLarge(ValueError):
    """The file is larger than allowed; nothing of it is kept."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"The file is larger than {max_bytes / 1e6:,.0f} MB. Split it and import the parts one by one."
        )


def store(account_id: UUID, content: Iterable[bytes], *, max_bytes: int) -> tuple[UUID, int]:
    """Write ``content`` encrypted and return the upload's id and its size in bytes of plaintext.

    The file appears whole or not at all. Raises UploadTooLarge, Sealed.
    """
    upload_id = uuid7()
    path = _path(account_id, upload_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(".part")
    try:
        size = _write(partial, account_id, upload_id, content, max_bytes)
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return upload_id, size


def open_upload(account_id: UUID, upload_id: UUID) -> io.BufferedReader:
    """The decrypted file, seekable. Raises FileNotFoundError; reading raises DecryptionFailed on a changed file."""
    return io.BufferedReader(_Decrypted(account_id, upload_id), PIECE_BYTES)


def destroy(account_id: UUID, upload_id: UUID) -> None:
    """Remove the file; not an error when it is gone already."""
    _path(account_id, upload_id).unlink(missing_ok=True)


_holders: list[Callable[[UUID], bool]] = []


def hold(asks: Callable[[UUID], bool]) -> None:
    """A floor above keeps uploads, too: ``asks(upload_id)``, in the account's scope, whether it needs one."""
    if asks not in _holders:
        _holders.append(asks)


def is_held(upload_id: UUID) -> bool:
    """Whether any floor above needs this upload of the account in scope."""
    return any(asks(upload_id) for asks in _holders)


def stored_before(seconds: float) -> Iterator[tuple[UUID, UUID]]:
    """``(account, upload)`` of every file older than ``seconds``; half-written ones that old are removed."""
    latest = time.time() - seconds
    for path in Path(settings.UPLOAD_DIR).glob("*/*"):
        try:
            if path.stat().st_mtime > latest:
                continue
            if path.suffix == ".part":
                path.unlink(missing_ok=True)
            else:
                yield UUID(path.parent.name), UUID(path.stem)
        except (FileNotFoundError, ValueError):
            continue  # removed meanwhile, or nothing of ours


def _path(account_id: UUID, upload_id: UUID) -> Path:
    return Path(settings.UPLOAD_DIR) / str(account_id) / f"{upload_id}.bin"


def _associated(account_id: UUID, upload_id: UUID) -> bytes:
    return b"upload\0" + account_id.bytes + upload_id.bytes


def _write(path: Path, account_id: UUID, upload_id: UUID, content: Iterable[bytes], max_bytes: int) -> int:
    encrypt, place = account_keys(account_id).encrypt, _associated(account_id, upload_id)
    size = index = 0
    waiting = bytearray()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_MAGIC)
        for block in content:
            size += len(block)
            if size > max_bytes:
                raise UploadTooLarge(max_bytes)
            waiting += block
            while len(waiting) > PIECE_BYTES:  # never ">=": the last piece must be known to be the last
                file.write(encrypt(bytes(waiting[:PIECE_BYTES]), place + index.to_bytes(8, "big") + b"\0"))
                del waiting[:PIECE_BYTES]
                index += 1
        file.write(encrypt(bytes(waiting), place + index.to_bytes(8, "big") + b"\1"))
        file.flush()
        os.fsync(file.fileno())
    return size


class _Decrypted(io.RawIOBase):
    """The plaintext of a stored file, piece by piece."""

    def __init__(self, account_id: UUID, upload_id: UUID) -> None:
        self._file = _path(account_id, upload_id).open("rb")
        stored = os.fstat(self._file.fileno()).st_size - len(_MAGIC)
        self._pieces = max(1, -(-stored // (PIECE_BYTES + _OVERHEAD)))
        self._size = max(0, stored - self._pieces * _OVERHEAD)
        self._decrypt = account_keys(account_id).decrypt
        self._place = _associated(account_id, upload_id)
        self._at = 0
        self._index, self._piece = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        index, offset = divmod(self._at, PIECE_BYTES)
        # An empty file has one piece as well, and it is opened too: a forged end must not pass for an empty file.
        if index >= self._pieces:
            return 0
        if index != self._index:
            self._piece, self._index = self._open_piece(index), index
        taken = self._piece[offset : offset + len(buffer)]
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)

    def _open_piece(self, index: int) -> bytes:
        self._file.seek(len(_MAGIC) + index * (PIECE_BYTES + _OVERHEAD))
        last = b"\1" if index == self._pieces - 1 else b"\0"
        return self._decrypt(self._file.read(PIECE_BYTES + _OVERHEAD), self._place + index.to_bytes(8, "big") + last)

    def close(self) -> None:
        self._file.close()
        super().close()
