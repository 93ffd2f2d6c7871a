"""API keys of the embedded server: making, recognising and revoking them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.tenancy.scope import platform
from apps.integrations.models import ZeroCaller, ZeroKey
from apps.integrations.zerodb.server import walls

PREFIX = "zerodb_sk_"
DEMO = "demo"
"""The public id of keys that everybody knows; they count where ZERODB_DEMO_KEYS is on."""


@dataclass(frozen=True)
class NewKey:
    """A key just made. ``plain`` is shown once and kept nowhere; it never appears in ``repr``."""

    id: UUID
    caller_id: UUID
    public_id: str
    plain: str

    def __repr__(self) -> str:
        return f"NewKey({self.public_id})"


@dataclass(frozen=True)
class KnownKey:
    """Who a valid key stands for. ``project_id`` is None for an account-wide key."""

    id: UUID
    caller_id: UUID
    project_id: UUID | None


class KeyExpired(Exception):
    """The key was valid once."""


def digest(plain: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(plain.encode()).digest()


def create_caller(name: str, *, unlimited_projects: bool = False) -> ZeroCaller:
    """A new caller, with nothing yet."""
    with platform("add a caller to the embedded ZeroDB server"):
        return ZeroCaller.objects.create(name=name, unlimited_projects=unlimited_projects)


def create_key(caller_id: UUID, name: str, *, project_id: UUID | None = None) -> NewKey:
    """A new key: account-wide, or of one project."""
    public_id = secrets.token_hex(4)
    plain = f"{PREFIX}{public_id}_{secrets.token_urlsafe(32)}"
    with walls.caller(caller_id):
        key = ZeroKey.objects.create(name=name, public_id=public_id, key_hash=digest(plain), project_id=project_id)
    return NewKey(key.id, caller_id, public_id, plain)


def recognise(plain: str) -> KnownKey | None:
    """Who ``plain`` stands for, or None when nobody. Raises KeyExpired."""
    with platform("recognise the key of a ZeroDB request"):
        key = (
            _usable().filter(key_hash=digest(plain)).values_list("id", "caller_id", "project_id", "expires_at").first()
        )
    if key is None:
        return None
    key_id, caller_id, project_id, expires_at = key
    if expires_at is not None and expires_at <= timezone.now():
        raise KeyExpired
    return KnownKey(key_id, caller_id, project_id)


def _usable() -> QuerySet[ZeroKey]:
    rows: QuerySet[ZeroKey] = ZeroKey.objects.filter(revoked_at=None)
    return rows if settings.ZERODB_DEMO_KEYS else rows.exclude(public_id=DEMO)


def still_valid(key_id: UUID, caller_id: UUID) -> bool:
    """Whether a key that a token was made from may still be used."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    with walls.caller(caller_id):
        return _usable().filter(in_time, pk=key_id).exists()


def revoke_key(caller_id: UUID, key_id: UUID) -> bool:
    """Make a key useless at once. False when it was not there or revoked before."""
    with walls.caller(caller_id):
        changed = ZeroKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=timezone.now())
    return bool(changed)


def revoke_keys_of_project(project_id: UUID) -> int:
    """Make all keys of a project useless at once, in its caller's scope. Returns how many there were."""
    usable = ZeroKey.objects.filter(project_id=project_id, revoked_at=None)
    changed: int = usable.update(revoked_at=timezone.now())
    return changed
