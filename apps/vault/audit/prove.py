"""Proving every trail of the installation, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.audit import anchor
from apps.vault.audit.anchor import Anchor
from apps.vault.audit.verify import Fault, Proof, verify_trail
from apps.vault.keys.account_keys import PLATFORM_OWNER

Progress = Callable[[str, int], None]
"""Called with a trail's name and the number of its entries read so far."""
Ends = Mapping[UUID, Anchor]
"""Where trails had got to when their ends were exported."""


def prove(account: Account, progress: Progress, exported: Ends | None = None) -> Proof:
    """The trail of one account."""
    with tenant(account):
        proof = verify_trail(
            account.id,
            progress=lambda read: progress(account.slug, read),
            exported=(exported or {}).get(account.id),
        )
    catch_up(proof)
    return proof


def prove_platform(progress: Progress, exported: Ends | None = None) -> Proof:
    """The operator's own trail."""
    with platform("prove the platform's trail"):
        proof = verify_trail(
            PLATFORM_OWNER,
            progress=lambda read: progress("platform", read),
            exported=(exported or {}).get(PLATFORM_OWNER),
        )
    catch_up(proof)
    return proof


def catch_up(proof: Proof) -> None:
    """Bring the anchor of a trail that was just proven to its end: some entries may not have been anchored.

    Outside of the transaction that read them, so that nothing is anchored which is not committed.
    """
    if proof.whole and proof.entries:
        anchor.advance(proof.trail, Anchor(proof.last, proof.head), b"", lambda known: known.seq < proof.last)


def prove_all(progress: Progress, exported: Ends | None = None) -> Iterator[tuple[str, Proof]]:
    """Every trail with its name: the platform's, each account's, and those of which only an end is known."""
    yield "platform", prove_platform(progress, exported)
    with platform("list the accounts whose trails are to be proven"):
        accounts = list(Account.objects.order_by("slug"))
    for account in accounts:
        yield account.slug, prove(account, progress, exported)
    known = {PLATFORM_OWNER, *(account.id for account in accounts)}
    for trail in sorted({*anchor.trails(), *(exported or {})} - known):
        yield str(trail), _vanished(trail)


def _vanished(trail: UUID) -> Proof:
    with platform("see whether an account was made while trails were proven"):
        if Account.objects.filter(pk=trail).exists():
            return Proof(trail)
    words = "The account is gone from the database; its trail had been anchored."
    return Proof(trail, faults=[Fault("missing", 1, words)])
