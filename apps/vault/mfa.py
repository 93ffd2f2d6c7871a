"""Secrets of second factors, encrypted with the platform's keys (they belong to a person, not to an account)."""

from __future__ import annotations

import base64
import binascii

from apps.accounts.adapter import SecondFactorAdapter
from apps.vault.keys import DecryptionFailed, platform_keys

_PLACE = b"mfa_authenticator.data"


class MFAAdapter(SecondFactorAdapter):
    """With encryption: allauth's own ``encrypt`` does nothing."""

    def encrypt(self, text: str) -> str:
        """Base64 of the ciphertext. Raises Sealed."""
        return base64.b64encode(platform_keys().encrypt(text.encode(), _PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Undo ``encrypt``. Raises Sealed, DecryptionFailed (also for a secret that lies in clear)."""
        try:
            sealed = base64.b64decode(encrypted_text, validate=True)
        except binascii.Error as error:
            raise DecryptionFailed("The secret of a second factor is not encrypted.") from error
        return platform_keys().decrypt(sealed, _PLACE).decode()
