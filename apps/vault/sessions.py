"""Django's cached sessions, whose secrets lie encrypted: in the table and in the cache server.

While somebody sets up an authenticator app, allauth keeps its secret in the session until the first code proves it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import cached_db

from apps.vault.keys import DecryptionFailed, platform_keys

SECRETS = frozenset({"mfa.totp.secret"})
"""Names in a session whose values are sealed for the person who is signed in."""
_ABSENT = object()


class SessionStore(cached_db.SessionStore):
    """A session in which SECRETS are ciphertext until they are read. What does not open is not there."""

    def __getitem__(self, key: str) -> Any:
        return self._opened(key, super().__getitem__(key))

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, self._sealed(key, value))

    def get(self, key: str, default: Any = None) -> Any:
        return self._opened(key, super().get(key, default), default)

    def pop(self, key: str, default: Any = _ABSENT) -> Any:
        found = super().pop(key) if default is _ABSENT else super().pop(key, default)
        return self._opened(key, found, default)

    def setdefault(self, key: str, value: Any) -> Any:  # type: ignore[override]
        if key not in self:
            self[key] = value
        return self[key]

    def update(self, dict_: Any) -> None:  # type: ignore[override]
        super().update({key: self._sealed(key, value) for key, value in dict(dict_).items()})

    async def aget(self, key: str, default: Any = None) -> Any:
        return self._opened(key, await super().aget(key, default), default)

    async def aset(self, key: str, value: Any) -> None:
        await self._aget_session()  # type: ignore[attr-defined]
        await super().aset(key, self._sealed(key, value))

    def _place(self) -> bytes:
        return b"session\0" + str(self._session.get(SESSION_KEY, "")).encode()  # type: ignore[attr-defined]

    def _sealed(self, key: str, value: Any) -> Any:
        if key not in SECRETS or not isinstance(value, str):
            return value
        return base64.b64encode(platform_keys().encrypt(value.encode(), self._place())).decode()

    def _opened(self, key: str, value: Any, default: Any = None) -> Any:
        if key not in SECRETS or not isinstance(value, str):
            return value
        try:
            return platform_keys().decrypt(base64.b64decode(value, validate=True), self._place()).decode()
        except (binascii.Error, DecryptionFailed):
            return None if default is _ABSENT else default
