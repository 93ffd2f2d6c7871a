"""What lets the sockets of an account look again whether their people may still be there."""

from __future__ import annotations

from typing import Any

from apps.accounts.live.announcing import announce_access
from apps.accounts.models import Account, Membership
from apps.accounts.signals import account_changed, membership_ended


def connect() -> None:
    """Called once, at start-up."""
    membership_ended.connect(_ended, dispatch_uid="accounts.live_membership_ended")
    account_changed.connect(_changed, dispatch_uid="accounts.live_account_changed")


def _ended(sender: Any, membership: Membership, **_: Any) -> None:
    assert membership.account_id
    announce_access(membership.account_id)


def _changed(sender: Any, account: Account, **_: Any) -> None:
    announce_access(account.id)
