"""Files in the account's own store."""

from __future__ import annotations

from typing import Literal

from apps.accounts.actors import Actor
from apps.integrations.contracts.storage import StoredFile
from apps.integrations.services.arguments import wrong
from apps.integrations.services.calling import calling

LONGEST_PRESIGNED = 7 * 24 * 3600
"""Seconds; what signature version 4 allows at most."""


def put(key: str, content: bytes, *, content_type: str, actor: Actor, provider: str | None = None) -> StoredFile:
    """Write a file. Raises ValidationError, PermissionDenied, OutboundError."""
    _check_key(key)
    with calling("storage.put", actor=actor, provider=provider) as call:
        stored: StoredFile = call.client.put(key, content, content_type=content_type)
    call.sent_personal_data("file")
    return stored


def get(key: str, *, actor: Actor, provider: str | None = None) -> StoredFile:
    """Read a file. Raises ValidationError, PermissionDenied, OutboundError; Missing when there is none."""
    _check_key(key)
    with calling("storage.get", actor=actor, provider=provider) as call:
        stored: StoredFile = call.client.get(key)
    return stored


def presign(
    key: str, *, seconds: int, actor: Actor, method: Literal["GET", "PUT"] = "GET", provider: str | None = None
) -> str:
    """An address for the file that works for ``seconds``. Raises ValidationError, PermissionDenied, OutboundError."""
    _check_key(key)
    if not 1 <= seconds <= LONGEST_PRESIGNED:
        raise wrong("seconds", f"Must be between 1 and {LONGEST_PRESIGNED}.", "range")
    with calling("storage.presign", actor=actor, provider=provider) as call:
        address: str = call.client.presign(key, seconds=seconds, method=method)
    return address


def delete(key: str, *, actor: Actor, provider: str | None = None) -> None:
    """Remove a file. Raises ValidationError, PermissionDenied, OutboundError."""
    _check_key(key)
    with calling("storage.delete", actor=actor, provider=provider) as call:
        call.client.delete(key)


def _check_key(key: str) -> None:
    parts = key.split("/")
    if not 1 <= len(key.encode()) <= 1024:
        raise wrong("key", "A key is 1 to 1,024 bytes long.", "length")
    if "" in parts or "." in parts or ".." in parts or not key.isprintable() or "\\" in key:
        raise wrong("key", "A key is a path such as reports/2026/may.pdf, without empty parts or dots alone.", "path")
