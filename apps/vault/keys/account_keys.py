"""The keys of one account, and where they live: wrapped in the database, open in memory for minutes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import tink
from django.conf import settings
from tink import aead, daead, prf, proto_keyset_format, secret_key_access

from apps.vault.keys.master import MasterKey, Sealed, master_key

aead.register()
daead.register()
prf.register()

INDEX_BYTES = 16
"""Length of a blind index: 128 bits of HMAC-SHA256 (RFC 2104 section 5 allows half the hash), see docs/adr."""

DERIVED_BYTES = 32

NAME_BYTES = 5
"""Of a ciphertext: which key it is of."""

NOT_HERE = "A stored value does not decrypt where it stands."
CipherError = tink.TinkError
"""What ``AccountKeys.aead`` itself raises, for loops that can't afford the wrapping of each call."""


class DecryptionFailed(RuntimeError):
    """A ciphertext does not open here: changed, moved from another place, or its key is gone."""


@dataclass(frozen=True)
class WrappedKeys:
    """What the database holds of an account's keys."""

    aead: bytes
    daead: bytes
    index: bytes


@dataclass(frozen=True, repr=False)
class AccountKeys:
    """Open keys of one owner. ``associated`` data must be the same for encrypting and decrypting."""

    owner: UUID
    aead: aead.Aead
    daead: daead.DeterministicAead
    index: prf.PrfSet
    opened_at: float = field(default_factory=time.monotonic)

    def __repr__(self) -> str:
        return f"<keys of {self.owner}>"

    def encrypt(self, plaintext: bytes, associated: bytes) -> bytes:
        """AES-256-GCM: 33 bytes longer than ``plaintext`` (5 of them name the key), never twice the same."""
        return self.aead.encrypt(plaintext, associated)

    def decrypt(self, ciphertext: bytes, associated: bytes) -> bytes:
        """Undo ``encrypt``. Raises DecryptionFailed."""
        try:
            return self.aead.decrypt(ciphertext, associated)
        except tink.TinkError as error:
            raise DecryptionFailed(NOT_HERE) from error

    @cached_property
    def openers(self) -> dict[bytes, Callable[[bytes, bytes], bytes]]:
        """For loops: by the first NAME_BYTES of a ciphertext, what decrypts the rest of it. Raises CipherError.

        Tink's own primitives without its two wrappers in Python, which take as long as the decryption itself. What
        is not here, or does not open so, belongs to ``aead``.
        """
        primitives: Any = self.aead._primitive_set  # type: ignore[attr-defined]
        found = {}
        for entry in (entry for entries in primitives.all() for entry in entries):
            if len(entry.identifier) == NAME_BYTES:
                found[entry.identifier] = entry.primitive._aead.decrypt
        return found

    def encrypt_deterministically(self, plaintext: bytes, associated: bytes) -> bytes:
        """AES-256-SIV (RFC 5297): equal plaintexts give equal ciphertexts, and that is what it leaks."""
        return self.daead.encrypt_deterministically(plaintext, associated)

    def decrypt_deterministically(self, ciphertext: bytes, associated: bytes) -> bytes:
        """Undo ``encrypt_deterministically``. Raises DecryptionFailed."""
        try:
            return self.daead.decrypt_deterministically(ciphertext, associated)
        except tink.TinkError as error:
            raise DecryptionFailed(NOT_HERE) from error

    def blind_index(self, column: bytes, value: str) -> bytes:
        """The keyed hash under which ``value`` is found in ``column`` ("table.column")."""
        return self.index.primary().compute(column + b"\0" + value.encode(), INDEX_BYTES)

    def blind_indexes(self, column: bytes, value: str) -> list[bytes]:
        """The current index first, then those of keys being rotated out: what a look-up has to try."""
        message = column + b"\0" + value.encode()
        current = self.index.primary().compute(message, INDEX_BYTES)
        keys = self.index.all()
        if len(keys) == 1:
            return [current]
        others = (key.compute(message, INDEX_BYTES) for key in keys.values())
        return [current, *(index for index in others if index != current)]

    def derived(self, purpose: bytes) -> list[bytes]:
        """32 bytes for another kind of keyed hash, from the current index key first, then those being rotated out."""
        message = b"derived key\0" + purpose
        current = self.index.primary().compute(message, DERIVED_BYTES)
        others = (key.compute(message, DERIVED_BYTES) for key in self.index.all().values())
        return [current, *(other for other in others if other != current)]


def _associated(owner: UUID, purpose: str) -> bytes:
    return b"strongroom keyset\0" + purpose.encode() + b"\0" + owner.bytes


_TEMPLATES = {
    "aead": aead.aead_key_templates.AES256_GCM,
    "daead": daead.deterministic_aead_key_templates.AES256_SIV,
    "index": prf.prf_key_templates.HMAC_SHA256,
}


def new_wrapped_keys(owner: UUID, master: MasterKey | None = None) -> WrappedKeys:
    """Fresh keysets for ``owner``, wrapped by the master key with the owner's id as associated data."""
    master = master or master_key()
    wrapped = {
        purpose: master.wrap(
            proto_keyset_format.serialize(tink.new_keyset_handle(template), secret_key_access.TOKEN),
            _associated(owner, purpose),
        )
        for purpose, template in _TEMPLATES.items()
    }
    return WrappedKeys(**wrapped)


def open_keys(owner: UUID, wrapped: WrappedKeys, master: MasterKey | None = None) -> AccountKeys:
    """Unwrap. Raises Sealed when the master key is another one."""
    master = master or master_key()

    def handle(purpose: str) -> tink.KeysetHandle:
        serialized = master.unwrap(getattr(wrapped, purpose), _associated(owner, purpose))
        return proto_keyset_format.parse(serialized, secret_key_access.TOKEN)

    return AccountKeys(
        owner,
        handle("aead").primitive(aead.Aead),
        handle("daead").primitive(daead.DeterministicAead),
        handle("index").primitive(prf.PrfSet),
    )


class KeyCache:
    """Open keys by owner: bounded in number (least recently used goes first) and in time."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._keys: OrderedDict[UUID, AccountKeys] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, owner: UUID) -> AccountKeys | None:
        keys = self._keys.get(owner)
        if keys is None or time.monotonic() - keys.opened_at > self._seconds:
            return None
        with self._lock:
            if owner in self._keys:
                self._keys.move_to_end(owner)
        return keys

    def put(self, keys: AccountKeys) -> None:
        with self._lock:
            self._keys[keys.owner] = keys
            self._keys.move_to_end(keys.owner)
            while len(self._keys) > self._most:
                self._keys.popitem(last=False)

    def forget(self, owner: UUID | None = None) -> None:
        with self._lock:
            if owner is None:
                self._keys.clear()
            else:
                self._keys.pop(owner, None)


_cache = KeyCache(most=10_000, seconds=300)


def account_keys(account_id: UUID) -> AccountKeys:
    """The open keys of an account, from memory or unwrapped from its row (in the account's scope).

    Raises Sealed without a master key, DecryptionFailed when the account's keys were destroyed.
    """
    if account_id == PLATFORM_OWNER:
        return platform_keys()
    keys = _cache.get(account_id)
    if keys is None:
        from apps.vault.models import AccountKeyset

        row = AccountKeyset.objects.filter(account_id=account_id).first()
        if row is None:
            raise DecryptionFailed(f"Account {account_id} has no keys (any more).")
        keys = open_keys(account_id, row.wrapped)
        _cache.put(keys)
    return keys


PLATFORM_OWNER = UUID(int=0)
"""The owner in whose name the platform's own secrets (second factors) are encrypted."""


def platform_keys() -> AccountKeys:
    """The open keys of the platform itself. Raises Sealed."""
    keys = _cache.get(PLATFORM_OWNER)
    if keys is None:
        from apps.vault.models import PlatformKeyset

        row = PlatformKeyset.objects.first()
        if row is None:
            raise Sealed("The vault has not been initialised: run manage.py init_vault.")
        keys = open_keys(PLATFORM_OWNER, row.wrapped)
        _cache.put(keys)
    return keys


def forget_keys(owner: UUID | None = None) -> None:
    """Drop open keys from this process's memory (one owner's, or all)."""
    _cache.forget(owner)


def sealed_reason() -> str | None:
    """None when the vault is open; otherwise why it is sealed, in words."""
    if not settings.VAULT_MASTER_KEY_URI:
        return "VAULT_MASTER_KEY_URI is not set."
    try:
        platform_keys()
    except Sealed as error:
        return str(error)
    return None
