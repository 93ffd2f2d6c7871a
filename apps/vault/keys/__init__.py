"""Keys: the master key, and each account's keys wrapped by it. See docs/security-model.md."""

from apps.vault.keys.account_keys import (
    INDEX_BYTES,
    NAME_BYTES,
    NOT_HERE,
    AccountKeys,
    CipherError,
    DecryptionFailed,
    WrappedKeys,
    account_keys,
    forget_keys,
    new_wrapped_keys,
    open_keys,
    platform_keys,
    sealed_reason,
)
from apps.vault.keys.master import MasterKey, Sealed, master_key

__all__ = [
    "INDEX_BYTES",
    "NAME_BYTES",
    "NOT_HERE",
    "AccountKeys",
    "CipherError",
    "DecryptionFailed",
    "MasterKey",
    "Sealed",
    "WrappedKeys",
    "account_keys",
    "forget_keys",
    "master_key",
    "new_wrapped_keys",
    "open_keys",
    "platform_keys",
    "sealed_reason",
]
