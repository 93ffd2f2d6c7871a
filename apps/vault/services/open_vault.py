"""Making the keys of the platform and of each new account."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform
from apps.vault.audit.chain import BEGINNING, begin_trail
from apps.vault.keys import master_key, new_wrapped_keys
from apps.vault.keys.account_keys import PLATFORM_OWNER
from apps.vault.models import AccountKeyset, PlatformAuditHead, PlatformKeyset


def make_account_keys(account: Account, **_: Any) -> None:
    """Give a new account its keys and its empty trail (in its scope). Raises Sealed."""
    keyset = AccountKeyset(account=account, master_key_uri=master_key().uri)
    keyset.take(new_wrapped_keys(account.id))
    keyset.save(force_insert=True)
    begin_trail(account.id)


def init_vault() -> bool:
    """Make the platform's own keys and trail on first run. Returns whether anything was made. Raises Sealed."""
    with platform("make the platform's own keys"):
        if PlatformKeyset.objects.exists():
            return False
        keyset = PlatformKeyset(master_key_uri=settings.VAULT_MASTER_KEY_URI)
        keyset.take(new_wrapped_keys(PLATFORM_OWNER))
        keyset.save(force_insert=True)
        PlatformAuditHead.objects.create(hash=BEGINNING)
    return True
