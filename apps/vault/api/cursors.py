"""Positions in lists of contacts, as text."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.accounts.api.pagination import Cursors
from apps.accounts.tenancy.scope import current_account_id
from apps.vault.keys import AccountKeys, DecryptionFailed, account_keys


class SealedCursors(Cursors):
    """Cursors that hold something personal: addresses end in logs, so what is inside is encrypted."""

    def pack(self, content: bytes) -> bytes:
        return self._keys().encrypt(content, self._associated)

    def unpack(self, packed: bytes) -> bytes:
        try:
            return self._keys().decrypt(packed, self._associated)
        except DecryptionFailed as error:
            raise ValueError from error

    @property
    def _associated(self) -> bytes:
        return b"cursor\0" + self.name.encode()

    def _keys(self) -> AccountKeys:
        account_id = current_account_id()
        assert account_id is not None, "Cursors of contacts belong to an account."
        return account_keys(account_id)


BY_RECENCY = Cursors("contacts", datetime, UUID)
BY_NAME = SealedCursors("contacts by name", bool, str, UUID)
