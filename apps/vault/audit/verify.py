"""Proving a trail whole: nothing edited, deleted, moved or cut off.

The trail may grow while it is read. So what says where it ends is read first (the anchor outside of the
database, then the head), the entries after that, the head once more at the end: each may know less than what is
read after it, never more.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.vault.audit import anchor
from apps.vault.audit.chain import BEGINNING, entry_hash, mac_key
from apps.vault.keys.account_keys import PLATFORM_OWNER
from apps.vault.models import AuditEntry, AuditHead, PlatformAuditEntry, PlatformAuditHead


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: ``kind`` is edited, missing, moved, truncated, head or anchor."""

    kind: str
    seq: int
    words: str


@dataclass
class Proof:
    """The outcome for one trail."""

    trail: UUID
    entries: int = 0
    last: int = 0
    head: bytes = BEGINNING
    faults: list[Fault] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class _End:
    """Where something says that the trail had got to: ``source`` in words."""

    source: str
    kind: str
    seq: int
    hash: bytes


def verify_trail(
    trail: UUID, *, progress: Callable[[int], None] | None = None, exported: anchor.Anchor | None = None
) -> Proof:
    """Check every entry of ``trail`` (an account's id in its scope, or PLATFORM_OWNER in the platform scope).

    ``exported`` is where the trail had got to when its end was last taken off the machine. ``progress`` is called with
    the number of entries read so far. Raises Sealed without the master key.
    """
    platform_trail = trail == PLATFORM_OWNER
    entries: Any = PlatformAuditEntry.objects if platform_trail else AuditEntry.objects
    heads: Any = PlatformAuditHead.objects if platform_trail else AuditHead.objects
    proof = Proof(trail)
    ends = [*_anchored(trail, proof), *_head(heads.first(), proof)]
    if exported is not None:
        ends.append(_End("its exported end", "anchor", exported.seq, exported.hash))
    found = _walk(trail, entries.order_by("seq").iterator(chunk_size=2000), proof, ends, progress)
    _compare(ends, found, proof)
    proof.faults.extend(_behind(trail, heads.first(), proof))
    return proof


def _anchored(trail: UUID, proof: Proof) -> Iterator[_End]:
    try:
        known = anchor.read(trail)
    except anchor.AnchorForged as error:
        proof.faults.append(Fault("anchor", 0, str(error)))
        return
    if known is not None:
        yield _End("its anchor outside of the database", "anchor", known.seq, known.hash)


def _head(head: Any, proof: Proof) -> Iterator[_End]:
    if head is None:
        proof.faults.append(Fault("head", 0, "The record of where the trail ends is gone."))
    else:
        yield _End("the record of its end", "head", head.seq, bytes(head.hash))


def _walk(
    trail: UUID, entries: Iterator[Any], proof: Proof, ends: list[_End], progress: Callable[[int], None] | None
) -> dict[int, bytes]:
    """Check each entry and its link; returns the hashes found at the sequence numbers of ``ends``."""
    key = mac_key(trail)
    wanted = {end.seq for end in ends}
    found = {0: BEGINNING}
    for entry in entries:
        proof.faults.extend(_faults(key, trail, entry, proof))
        proof.head = bytes(entry.hash)
        proof.last = max(proof.last, entry.seq)
        proof.entries += 1
        if entry.seq in wanted:
            found[entry.seq] = proof.head
        if progress is not None and proof.entries % 1000 == 0:
            progress(proof.entries)
    return found


def _faults(key: bytes, trail: UUID, entry: Any, proof: Proof) -> Iterator[Fault]:
    expected = proof.last + 1
    if entry.seq > expected:
        upto = entry.seq - 1
        which = f"Entry {expected} is" if upto == expected else f"Entries {expected} to {upto} are"
        yield Fault("missing", expected, f"{which} missing.")
    elif bytes(entry.previous_hash) != proof.head:
        yield Fault("moved", entry.seq, f"Entry {entry.seq} does not follow the one before it.")
    payload = bytes(entry.__dict__["payload"])
    if not hmac.compare_digest(bytes(entry.hash), entry_hash(key, trail, entry, payload)):
        yield Fault("edited", entry.seq, f"Entry {entry.seq} is not what was written.")


def _compare(ends: list[_End], found: dict[int, bytes], proof: Proof) -> None:
    for end in ends:
        if end.seq > proof.last:
            words = f"The trail ends at {proof.last}; {end.source} says {end.seq}."
            proof.faults.append(Fault("truncated", proof.last, words))
        elif end.seq in found and found[end.seq] != end.hash:
            words = f"Entry {end.seq} is not the one that {end.source} names."
            proof.faults.append(Fault(end.kind, end.seq, words))


def _behind(trail: UUID, head: Any, proof: Proof) -> Iterator[Fault]:
    """What is still behind the entries now that all of them were read."""
    if head is not None and head.seq < proof.last:
        yield Fault("head", proof.last, f"The trail goes on to {proof.last}; the record of its end says {head.seq}.")
    if proof.entries and not anchor.exists(trail):
        yield Fault("anchor", proof.last, "The trail has no anchor outside of the database.")
