"""How files arrive: never as plaintext on disk.

Django keeps small uploads in memory and writes larger ones to a temporary file. Here that file is encrypted
under a key that exists only in this process's memory and only for this upload.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

_NONCE_BYTES = 12
_LENGTH_BYTES = 4


class SealedUploadedFile(UploadedFile):
    """An upload whose bytes are read by ``chunks()``, in order, as often as wanted."""

    def __init__(self, sealed: _SealedFile, name: str | None, content_type: str, size: int) -> None:
        super().__init__(sealed, name, content_type, size)  # type: ignore[arg-type] # it is read by chunks() alone
        self._sealed = sealed

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        return self._sealed.pieces()

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:
        return True


class _SealedFile:
    """An unnamed temporary file of encrypted pieces; the nonce counts them, so none can be moved."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the upload
        self._cipher = AESGCM(os.urandom(32))
        self._count = 0

    def append(self, piece: bytes) -> None:
        sealed = self._cipher.encrypt(self._count.to_bytes(_NONCE_BYTES, "big"), piece, None)
        self._file.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
        self._count += 1

    def pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        for number in range(self._count):
            length = int.from_bytes(self._file.read(_LENGTH_BYTES), "big")
            yield self._cipher.decrypt(number.to_bytes(_NONCE_BYTES, "big"), self._file.read(length), None)

    def close(self) -> None:
        self._file.close()

    @property
    def closed(self) -> bool:
        return self._file.closed


class SealedUploadHandler(FileUploadHandler):
    """Takes what the in-memory handler before it did not. Stops at UPLOAD_MAX_BYTES: the service says why."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._sealed = _SealedFile()
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._size <= settings.UPLOAD_MAX_BYTES:
            # One piece beyond the limit is kept, so that whoever reads the file finds it too large.
            self._sealed.append(raw_data)
        self._size += len(raw_data)

    def file_complete(self, file_size: int) -> SealedUploadedFile:
        return SealedUploadedFile(self._sealed, self.file_name, self.content_type or "", file_size)

    def upload_interrupted(self) -> None:
        if hasattr(self, "_sealed"):
            self._sealed.close()
