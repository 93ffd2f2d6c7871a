"""Secrets of second factors, encrypted with the platform's keys (they belong to a person, not to an account).

A ciphertext is bound to the person and the kind of factor, so that nobody who can write the table gets in by putting
their own factor into somebody else's row. allauth's hooks know neither: ``encrypt(text)`` has no row. So what it
encrypts is bound when its row is saved, and what is loaded carries its place along to ``decrypt``.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Self

from django.db.models.signals import post_init, pre_save

from apps.accounts.adapter import SecondFactorAdapter
from apps.vault.keys import DecryptionFailed, platform_keys

_TABLE = b"mfa_authenticator.data\0"
_NOT_SAVED = _TABLE + b"not saved yet"
_SECRETS = ("secret", "seed", "migrated_codes")
"""What allauth encrypts of a factor's ``data``."""


class SealedSecret(str):
    """Base64 of a ciphertext, and the place it was made for."""

    place: bytes

    @classmethod
    def at(cls, place: bytes, text: str) -> Self:
        sealed = cls(text)
        sealed.place = place
        return sealed


class MFAAdapter(SecondFactorAdapter):
    """With encryption: allauth's own ``encrypt`` does nothing."""

    def encrypt(self, text: str) -> str:
        """The ciphertext of a secret whose row is about to be made. Raises Sealed."""
        return _seal(text, _NOT_SAVED)

    def decrypt(self, encrypted_text: str) -> str:
        """Undo ``encrypt``. Raises Sealed, DecryptionFailed (also for a secret in clear, or of another person)."""
        if not isinstance(encrypted_text, SealedSecret):
            raise DecryptionFailed("The secret of a second factor was not read from its row.")
        return _open(encrypted_text, encrypted_text.place)


def connect() -> None:
    """Listen to allauth's table; the vault's AppConfig does this once."""
    from allauth.mfa.models import Authenticator

    post_init.connect(_loaded, sender=Authenticator, dispatch_uid="vault.mfa.loaded")
    pre_save.connect(_saving, sender=Authenticator, dispatch_uid="vault.mfa.saving")


def _seal(text: str, place: bytes) -> SealedSecret:
    return SealedSecret.at(place, base64.b64encode(platform_keys().encrypt(text.encode(), place)).decode())


def _open(text: str, place: bytes) -> str:
    try:
        sealed = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise DecryptionFailed("The secret of a second factor is not encrypted.") from error
    return platform_keys().decrypt(sealed, place).decode()


def _place(instance: Any) -> bytes:
    return _TABLE + instance.type.encode() + b"\0" + instance.user_id.bytes


def _loaded(instance: Any, **_: Any) -> None:
    """A row's ciphertexts know from here on where they stood; those of a row that is being made know already."""
    if "data" in instance.__dict__:
        _each_secret(instance.data, lambda text: text if _knows(text) else SealedSecret.at(_place(instance), text))


def _saving(instance: Any, **_: Any) -> None:
    """Nothing is stored that does not open in the row it is stored in. Raises DecryptionFailed."""
    place = _place(instance)

    def bound(text: str) -> str:
        if not _knows(text):
            _open(text, place)
            return SealedSecret.at(place, text)
        if text.place == place:  # type: ignore[attr-defined]
            return text
        return _seal(_open(text, _NOT_SAVED), place)

    if "data" in instance.__dict__:
        _each_secret(instance.data, bound)


def _knows(text: str) -> bool:
    return isinstance(text, SealedSecret)


def _each_secret(data: dict[str, Any], change: Any) -> None:
    for name in _SECRETS:
        value = data.get(name)
        if isinstance(value, list):
            data[name] = [change(text) for text in value]
        elif value is not None:
            data[name] = change(value)
