"""Proving a trail whole: nothing edited, deleted, moved or cut off."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
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
    head: bytes = BEGINNING
    faults: list[Fault] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.faults


def verify_trail(trail: UUID, *, progress: Any = None) -> Proof:
    """Check every entry of ``trail`` (an account's id in its scope, or PLATFORM_OWNER in the platform scope).

    ``progress`` is called with the number of entries read so far. Raises Sealed without the master key.
    """
    platform_trail = trail == PLATFORM_OWNER
    entries: Any = PlatformAuditEntry.objects if platform_trail else AuditEntry.objects
    heads: Any = PlatformAuditHead.objects if platform_trail else AuditHead.objects
    proof = Proof(trail)
    proof.faults.extend(_walk(trail, entries.order_by("seq").iterator(chunk_size=2000), proof, progress))
    proof.faults.extend(_end(trail, heads.first(), entries, proof))
    return proof


def _walk(trail: UUID, entries: Iterator[Any], proof: Proof, progress: Any) -> Iterator[Fault]:
    key = mac_key(trail)
    expected = 1
    for entry in entries:
        if entry.seq > expected:
            upto = entry.seq - 1
            which = f"Entry {expected} is" if upto == expected else f"Entries {expected} to {upto} are"
            yield Fault("missing", expected, f"{which} missing.")
        elif bytes(entry.previous_hash) != proof.head:
            yield Fault("moved", entry.seq, f"Entry {entry.seq} does not follow the one before it.")
        payload = bytes(entry.__dict__["payload"])
        if not hmac.compare_digest(bytes(entry.hash), entry_hash(key, trail, entry, payload)):
            yield Fault("edited", entry.seq, f"Entry {entry.seq} is not what was written.")
        proof.head = bytes(entry.hash)
        proof.entries += 1
        expected = entry.seq + 1
        if progress is not None and proof.entries % 1000 == 0:
            progress(proof.entries)


def _end(trail: UUID, head: Any, entries: Any, proof: Proof) -> Iterator[Fault]:
    last = entries.order_by("-seq").values_list("seq", flat=True).first() or 0
    if head is None:
        yield Fault("head", last, "The record of where the trail ends is gone.")
    elif head.seq > last:
        yield Fault("truncated", last, f"The trail ends at {last}; it had got to {head.seq}.")
    elif head.seq != last or bytes(head.hash) != proof.head:
        yield Fault("head", last, "The record of where the trail ends does not fit its last entry.")
    try:
        known = anchor.read(trail)
    except anchor.AnchorForged as error:
        yield Fault("anchor", last, str(error))
        return
    if known is None:
        if last:
            yield Fault("anchor", last, "The trail has no anchor outside of the database.")
        return
    if known.seq > last:
        yield Fault(
            "truncated", last, f"The trail ends at {last}; its anchor outside of the database says {known.seq}."
        )
        return
    anchored = entries.filter(seq=known.seq).first()
    if anchored is not None and bytes(anchored.hash) != known.hash:
        yield Fault("anchor", known.seq, f"Entry {known.seq} is not the one that was anchored.")
