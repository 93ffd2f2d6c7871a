"""Proving every trail of the installation, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.audit import anchor
from apps.vault.audit.verify import Fault, Proof, verify_trail
from apps.vault.keys.account_keys import PLATFORM_OWNER

Progress = Callable[[str, int], None]
"""Called with a trail's name and the number of its entries read so far."""


def prove(account: Account, progress: Progress) -> Proof:
    """The trail of one account."""
    with tenant(account):
        return verify_trail(account.id, progress=lambda read: progress(account.slug, read))


def prove_platform(progress: Progress) -> Proof:
    """The operator's own trail."""
    with platform("prove the platform's trail"):
        return verify_trail(PLATFORM_OWNER, progress=lambda read: progress("platform", read))


def prove_all(progress: Progress) -> Iterator[tuple[str, Proof]]:
    """Every trail with its name: the platform's, each account's, and those of which only an anchor is left."""
    yield "platform", prove_platform(progress)
    with platform("list the accounts whose trails are to be proven"):
        accounts = list(Account.objects.order_by("slug"))
    for account in accounts:
        yield account.slug, prove(account, progress)
    known = {PLATFORM_OWNER, *(account.id for account in accounts)}
    for trail in sorted(set(anchor.trails()) - known):
        yield str(trail), _vanished(trail)


def _vanished(trail: UUID) -> Proof:
    with platform("see whether an account was made while trails were proven"):
        if Account.objects.filter(pk=trail).exists():
            return Proof(trail)
    words = "The account is gone from the database; its trail had been anchored."
    return Proof(trail, faults=[Fault("missing", 1, words)])
