"""Where each trail had got to, kept outside of the database.

Cutting entries off the end and setting the head back leaves a chain that is whole in itself. So after each
commit the new end is written to a small file per trail (``AUDIT_ANCHOR_DIR``); ``verify_audit`` refuses a trail
that ends before its anchor. The line carries a MAC, so a forged anchor shows too.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.vault.keys import master_key

logger = logging.getLogger(__name__)


class AnchorForged(RuntimeError):
    """An anchor file does not carry the MAC that this product writes."""


@dataclass(frozen=True)
class Anchor:
    """The furthest end of a trail that was ever committed here."""

    seq: int
    hash: bytes


def _path(trail: UUID) -> Path:
    return Path(settings.AUDIT_ANCHOR_DIR) / trail.hex[-2:] / f"{trail}.head"


def _mac(trail: UUID, seq: int, digest: bytes) -> str:
    key = master_key().derive(b"audit anchor\0" + trail.bytes)
    return hmac.digest(key, f"{seq} {digest.hex()}".encode(), hashlib.sha256).hex()


def advance(trail: UUID, seq: int, digest: bytes) -> None:
    """Move the anchor of ``trail`` forward; never back, whatever order commits arrive in.

    A file that can't be written is logged and does not undo what is committed already; the next entry tries again.
    """
    line = f"{seq} {digest.hex()} {_mac(trail, seq, digest)}\n".encode()
    path = _path(trail)
    try:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            known = os.pread(descriptor, 20, 0).partition(b" ")[0]
            if not known.isdigit() or int(known) < seq:
                os.pwrite(descriptor, line, 0)
                os.ftruncate(descriptor, len(line))
        finally:
            os.close(descriptor)
    except OSError:
        logger.exception("The audit anchor %s could not be written.", path)


def read(trail: UUID) -> Anchor | None:
    """The anchor of ``trail``, or None when none was written here. Raises AnchorForged."""
    try:
        text = _path(trail).read_text()
    except FileNotFoundError:
        return None
    try:
        seq_text, digest_text, mac = text.split()
        seq, digest = int(seq_text), bytes.fromhex(digest_text)
    except ValueError as error:
        raise AnchorForged(f"The anchor of {trail} is not readable.") from error
    if not hmac.compare_digest(mac, _mac(trail, seq, digest)):
        raise AnchorForged(f"The anchor of {trail} was not written by this product.")
    return Anchor(seq, digest)


def exists(trail: UUID) -> bool:
    """Whether ``trail`` has an anchor here, forged or not."""
    return _path(trail).exists()


def trails() -> list[UUID]:
    """All trails that have an anchor: one that is missing from the database was removed from it."""
    return [UUID(path.stem) for path in Path(settings.AUDIT_ANCHOR_DIR).glob("*/*.head")]
