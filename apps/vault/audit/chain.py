"""Writing the trail: each entry carries a MAC over itself and the entry before it.

The MAC's key follows from the master key and is stored nowhere, so whoever can write the database but does
not hold the master key can't make, change, drop or move an entry without it showing (``verify.py``). That
nothing was cut off the end is anchored outside of the database (``anchor.py``).

Source of the construction: Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics" (1999).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import request_context
from apps.accounts.audit import Event, NotAudited
from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.scope import current_account_id, platform, platform_reason, tenant
from apps.vault.audit import anchor
from apps.vault.keys import master_key
from apps.vault.keys.account_keys import PLATFORM_OWNER
from apps.vault.models import AuditEntry, AuditHead, PlatformAuditEntry, PlatformAuditHead

BEGINNING = bytes(32)
"""What the first entry of a trail names as the hash before it."""


def mac_key(trail: UUID) -> bytes:
    """The key of one trail's MACs (32 bytes). ``trail`` is the account's id, or PLATFORM_OWNER. Raises Sealed."""
    return master_key().derive(b"audit trail\0" + trail.bytes)


def entry_hash(key: bytes, trail: UUID, entry: AuditEntry | PlatformAuditEntry, payload: bytes) -> bytes:
    """HMAC-SHA256 over every stored column of ``entry`` and its link to the one before."""
    content = [
        trail.hex,
        entry.seq,
        entry.id.hex,
        _microseconds(entry.at),
        entry.action,
        entry.actor_kind,
        entry.actor_id.hex if entry.actor_id else None,
        entry.entity_type,
        entry.entity_id,
        entry.request_id,
        hashlib.sha256(payload).hexdigest(),
        bytes(entry.previous_hash).hex(),
    ]
    return hmac.digest(key, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), hashlib.sha256)


def _microseconds(at: datetime) -> int:
    at = at.astimezone(UTC)
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def begin_trail(account_id: UUID) -> None:
    """Make the empty trail of a new account (in its scope)."""
    AuditHead.objects.create(account_id=account_id, hash=BEGINNING)


def append(event: Event) -> None:
    """Write ``event`` to the end of its trail, in the current transaction.

    Opens the trail's scope when it is not the current one (the platform's trail; an account's trail from
    the platform scope). Raises NotAudited when there is no trail.
    """
    if event.account_id is None:
        if platform_reason() is None:
            with platform("write to the platform's trail"):
                _append(event, PLATFORM_OWNER, PlatformAuditEntry(), PlatformAuditHead)
        else:
            _append(event, PLATFORM_OWNER, PlatformAuditEntry(), PlatformAuditHead)
    elif current_account_id() == event.account_id:
        _append(event, event.account_id, AuditEntry(), AuditHead)
    else:
        with tenant(event.account_id):
            _append(event, event.account_id, AuditEntry(), AuditHead)


def _append(event: Event, trail: UUID, entry: Any, head_model: Any) -> None:
    head = head_model.objects.select_for_update().first()
    if head is None:
        raise NotAudited(f"{event.action}: there is no audit trail to write to")
    context = request_context()
    entry.id = uuid7()
    entry.seq = head.seq + 1
    entry.at = timezone.now()
    entry.action = event.action
    entry.actor_kind, entry.actor_id = event.actor.kind, event.actor.id
    entry.entity_type, entry.entity_id = event.entity_type, event.entity_id
    entry.request_id = context.request_id
    entry.previous_hash = bytes(head.hash)
    payload = {
        "actor": event.actor.label,
        "entity": event.entity_label,
        "changes": event.changes,
        "ip": context.ip,
        "user_agent": context.user_agent[:300],
    }
    sealed = entry._meta.get_field("payload").seal(entry, payload)
    entry.payload = sealed
    entry.hash = entry_hash(mac_key(trail), trail, entry, bytes(sealed))
    entry.save(force_insert=True)
    head_model.objects.filter(pk=head.pk).update(seq=entry.seq, hash=entry.hash)
    end, previous = anchor.Anchor(entry.seq, entry.hash), entry.previous_hash
    transaction.on_commit(lambda: anchor.advance(trail, end, previous, lambda known: leads(trail, known, end)))


_MOST_BETWEEN = 1000


def leads(trail: UUID, known: anchor.Anchor, end: anchor.Anchor) -> bool:
    """Whether the entries after ``known`` lead to ``end`` link by link, each with its MAC.

    Needed when commits are anchored out of order, or when an anchor could not be written for a while. More than
    _MOST_BETWEEN entries are left to ``verify_audit``.
    """
    if end.seq - known.seq > _MOST_BETWEEN:
        return False
    if trail == PLATFORM_OWNER:
        with platform("link the platform's trail to its anchor"):
            return _linked(trail, PlatformAuditEntry.objects, known, end)
    with tenant(trail):
        return _linked(trail, AuditEntry.objects, known, end)


def _linked(trail: UUID, entries: Any, known: anchor.Anchor, end: anchor.Anchor) -> bool:
    key, seq, digest = mac_key(trail), known.seq, known.hash
    for entry in entries.filter(seq__gt=known.seq, seq__lte=end.seq).order_by("seq"):
        link = (entry.seq, bytes(entry.previous_hash))
        made = entry_hash(key, trail, entry, bytes(entry.__dict__["payload"]))
        if link != (seq + 1, digest) or not hmac.compare_digest(made, bytes(entry.hash)):
            return False
        seq, digest = entry.seq, bytes(entry.hash)
    return (seq, digest) == (end.seq, end.hash)
