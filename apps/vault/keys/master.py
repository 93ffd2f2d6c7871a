"""Master keys by address: the one secret that opens all others, kept outside of the database.

``local://PATH`` is a file (mode 600), ``env://NAME`` an environment variable (or ``NAME_FILE``). Both hold a
document as ``new_document()`` makes it; an environment variable may also hold 32 random bytes in Base64.
Key-management services come behind the same interface.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import stat
from functools import cache
from pathlib import Path
from typing import Protocol

import tink
from django.conf import settings
from tink import aead, json_proto_keyset_format, secret_key_access
from tink.proto import aes_gcm_pb2, tink_pb2

aead.register()

_DERIVATION_BYTES = 32


class Sealed(RuntimeError):
    """The product runs without its master key: nothing that needs a key can be served."""


class MasterKey(Protocol):
    """What the vault asks of a master key, wherever it is kept."""

    uri: str

    def wrap(self, secret: bytes, associated: bytes) -> bytes:
        """Encrypt ``secret`` so that only this master key and the same ``associated`` data open it."""

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """Undo ``wrap``. Raises Sealed when this is not the key it was wrapped with."""

    def derive(self, purpose: bytes) -> bytes:
        """32 bytes that follow from the master key and ``purpose`` and are stored nowhere (RFC 5869 expand)."""


class DocumentMasterKey:
    """A master key held in memory from a document."""

    def __init__(self, uri: str, handle: tink.KeysetHandle, derivation_key: bytes) -> None:
        self.uri = uri
        self._aead = handle.primitive(aead.Aead)
        self._derivation_key = derivation_key

    def __repr__(self) -> str:
        return f"<master key {self.uri}>"

    def wrap(self, secret: bytes, associated: bytes) -> bytes:
        return self._aead.encrypt(secret, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        try:
            return self._aead.decrypt(bytes(wrapped), associated)
        except tink.TinkError as error:
            raise Sealed(f"{self.uri} is not the master key this database was made with.") from error

    def derive(self, purpose: bytes) -> bytes:
        return hmac.digest(self._derivation_key, purpose + b"\x01", hashlib.sha256)


def new_document() -> str:
    """A fresh master key as the JSON text that ``local://`` and ``env://`` hold."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    document = {
        "strongroom_master_key": 1,
        "keyset": json.loads(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)),
        "derivation_key": base64.b64encode(os.urandom(_DERIVATION_BYTES)).decode(),
    }
    return json.dumps(document, indent=1)


def create_local_file(path: Path) -> None:
    """Make ``path`` with a fresh master key, readable by its owner alone. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(new_document())


def _from_document(uri: str, text: str) -> DocumentMasterKey:
    try:
        document = json.loads(text)
        handle = json_proto_keyset_format.parse(json.dumps(document["keyset"]), secret_key_access.TOKEN)
        return DocumentMasterKey(uri, handle, base64.b64decode(document["derivation_key"], validate=True))
    except (ValueError, KeyError, TypeError, tink.TinkError) as error:
        raise Sealed(f"{uri} does not hold a Strongroom master key.") from error


def _from_raw(uri: str, secret: bytes) -> DocumentMasterKey:
    """A master key from 32 random bytes, which are split by purpose so that no key serves two ends."""
    value = hmac.digest(secret, b"strongroom master key wrap\x01", hashlib.sha256)
    key = tink_pb2.Keyset.Key(
        key_data=tink_pb2.KeyData(
            type_url="type.googleapis.com/google.crypto.tink.AesGcmKey",
            value=aes_gcm_pb2.AesGcmKey(version=0, key_value=value).SerializeToString(),
            key_material_type=tink_pb2.KeyData.SYMMETRIC,
        ),
        status=tink_pb2.ENABLED,
        key_id=1,
        output_prefix_type=tink_pb2.TINK,
    )
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[key])
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return DocumentMasterKey(uri, handle, hmac.digest(secret, b"strongroom master key derive\x01", hashlib.sha256))


def _open_local(uri: str, location: str) -> MasterKey:
    path = Path(location)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text()
    except OSError as error:
        raise Sealed(f"The master key file {path} can't be read: {error.strerror}.") from error
    if mode & 0o077:
        raise Sealed(f"The master key file {path} is open to others (mode {mode:o}); make it 600.")
    return _from_document(uri, text)


def _open_environment(uri: str, name: str) -> MasterKey:
    text = os.environ.get(name, "")
    if not text and (file := os.environ.get(f"{name}_FILE")):
        try:
            text = Path(file).read_text()
        except OSError as error:
            raise Sealed(f"{name}_FILE can't be read: {error.strerror}.") from error
    text = text.strip()
    if not text:
        raise Sealed(f"The environment variable {name} holds no master key.")
    if text.startswith("{"):
        return _from_document(uri, text)
    try:
        secret = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Sealed(f"{name} is neither a master key document nor Base64.") from error
    if len(secret) != 32:
        raise Sealed(f"{name} must be 32 bytes in Base64, not {len(secret)}.")
    return _from_raw(uri, secret)


_OPENERS = {"local": _open_local, "env": _open_environment}


@cache
def _open(uri: str) -> MasterKey:
    scheme, separator, location = uri.partition("://")
    if not separator or scheme not in _OPENERS:
        known = ", ".join(f"{name}://" for name in sorted(_OPENERS))
        raise Sealed(f"VAULT_MASTER_KEY_URI must begin with one of {known}.")
    return _OPENERS[scheme](uri, location)


def master_key() -> MasterKey:
    """The master key of this process, opened once. Raises Sealed, with the reason in words."""
    uri = settings.VAULT_MASTER_KEY_URI
    if not uri:
        raise Sealed("VAULT_MASTER_KEY_URI is not set.")
    return _open(uri)


def forget_master_key() -> None:
    """Drop the opened key from memory; the next use opens it again."""
    _open.cache_clear()
