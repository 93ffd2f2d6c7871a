"""Whether a feature is on for an account: pure rules, and a share of accounts that only grows.

The share is decided by a keyed hash of the account's id under the feature's name (BLAKE2b, RFC 7693): each account
has its fixed place between 0 and 1 for each feature, and is in a share of N % when its place lies below N %. So
raising N only adds accounts, lowering it and raising it again brings the same ones back, and the accounts that are
first with one feature are not first with the next.
"""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

from apps.accounts.models.feature import Stage

NOT_AVAILABLE, SWITCHED_OFF, NOT_SWITCHED_ON = "not_available", "switched_off", "not_switched_on"
_WHOLE = 1 << 64


def is_in_share(name: str, account_id: UUID, percent: int) -> bool:
    """Whether the account is among the first ``percent`` per cent for this feature."""
    digest = blake2b(account_id.bytes, key=name.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest) * 100 < percent * _WHOLE


def reason_against(name: str, account_id: UUID, stage: str, percent: int, choice: bool | None) -> str:
    """Why the feature is not switched on for the account, as a code; "" when it is."""
    if stage == Stage.OFF:
        return NOT_AVAILABLE
    if choice is not None:
        return "" if choice else SWITCHED_OFF
    if stage == Stage.ON or (stage == Stage.PERCENT and is_in_share(name, account_id, percent)):
        return ""
    return NOT_SWITCHED_ON
