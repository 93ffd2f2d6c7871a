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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.vault.keys import master_key

logger = logging.getLogger(__name__)
_MOST_BYTES = 400


class AnchorForged(RuntimeError):
    """An anchor file does not carry the MAC that this product writes."""


@dataclass(frozen=True)
class Anchor:
    """The furthest end of a trail that was ever committed here."""

    seq: int
    hash: bytes

    def line(self, trail: UUID) -> str:
        """As it is written down: number, hash and MAC."""
        return f"{self.seq} {self.hash.hex()} {_mac(trail, self.seq, self.hash)}"


def _path(trail: UUID) -> Path:
    return Path(settings.AUDIT_ANCHOR_DIR) / trail.hex[-2:] / f"{trail}.head"


def _mac(trail: UUID, seq: int, digest: bytes) -> str:
    key = master_key().derive(b"audit anchor\0" + trail.bytes)
    return hmac.digest(key, f"{seq} {digest.hex()}".encode(), hashlib.sha256).hex()


@contextmanager
def _locked(trail: UUID, mode: int, lock: int) -> Iterator[int]:
    path = _path(trail)
    try:
        descriptor = os.open(path, mode, 0o600)
    except FileNotFoundError:
        if not mode & os.O_CREAT:
            raise
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, mode, 0o600)
    try:
        fcntl.flock(descriptor, lock)
        yield descriptor
    finally:
        os.close(descriptor)


def advance(trail: UUID, end: Anchor, previous: bytes, linked: Callable[[Anchor], bool]) -> None:
    """Move the anchor of ``trail`` forward to ``end``, whose entry names ``previous`` as the hash before it.

    Never back, whatever order commits arrive in, and never past a gap: when the anchor is not at the entry before,
    ``linked(anchor)`` must say whether the entries between lead from it to ``end``. A trail that was cut and has grown
    again does not, and an anchor that was tampered with is left as evidence. Both are logged, and ``verify_audit``
    finds them. A file that can't be written is logged too: what is committed stays, the next entry tries again.
    """
    try:
        with _locked(trail, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as file:
            known = parse(trail, os.pread(file, _MOST_BYTES, 0))
            if known is not None and known.seq >= end.seq:
                return
            if known is not None and (known.seq, known.hash) != (end.seq - 1, previous) and not linked(known):
                logger.error("The trail %s does not follow from its anchor at %d: run verify_audit.", trail, known.seq)
                return
            line = f"{end.line(trail)}\n".encode()
            os.pwrite(file, line, 0)
            os.ftruncate(file, len(line))
    except AnchorForged as forged:
        logger.error("%s It is left as it is: run verify_audit.", forged)
    except OSError:
        logger.exception("The audit anchor %s could not be written.", _path(trail))


def read(trail: UUID) -> Anchor | None:
    """The anchor of ``trail``, or None when none was written here. Raises AnchorForged.

    Waits for whoever is writing it: half a line would look forged.
    """
    try:
        with _locked(trail, os.O_RDONLY, fcntl.LOCK_SH) as file:
            return parse(trail, os.pread(file, _MOST_BYTES, 0))
    except FileNotFoundError:
        return None


def parse(trail: UUID, line: bytes) -> Anchor | None:
    """The anchor in a line; None for an empty one: somebody is about to write it first. Raises AnchorForged."""
    if not line:
        return None
    try:
        seq_text, digest_text, mac = line.decode().split()
        seq, digest = int(seq_text), bytes.fromhex(digest_text)
    except ValueError as error:
        raise AnchorForged(f"The anchor of {trail} is not readable.") from error
    if not hmac.compare_digest(mac, _mac(trail, seq, digest)):
        raise AnchorForged(f"The anchor of {trail} was not written by this product.")
    return Anchor(seq, digest)


def exists(trail: UUID) -> bool:
    """Whether ``trail`` has an anchor here, forged or not."""
    path = _path(trail)
    return path.exists() and path.stat().st_size > 0


def trails() -> list[UUID]:
    """All trails that have an anchor: one that is missing from the database was removed from it."""
    return [UUID(path.stem) for path in Path(settings.AUDIT_ANCHOR_DIR).glob("*/*.head")]
