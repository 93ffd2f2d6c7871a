"""API keys as credentials: making them, and recognising them at the door.

A key is ``sr_<key id>_<secret>``: 12 letters and digits that find the row, and 256 random bits, written as letters
and digits too, so that a double click selects a key whole and a split at ``_`` gives its three parts. Of the secret
the database keeps HMAC-SHA256 under a pepper. A plain hash is enough for a random secret (NIST SP 800-63B-4
section 3.1.2.2 asks for a memory-hard one where secrets may be guessed); the pepper, which is not in the
database, keeps a stolen table from being useful even for comparing. Peppers rotate: rows name the version
they were made with and move to the newest when their key is next used.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Account, APIKey
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant

_ID_ALPHABET = string.ascii_lowercase + string.digits
_SECRET_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 43
"""43 symbols of 62 hold 256 bits."""
_CACHE_SECONDS = 30
_CHANGING = "changing"
_MARK_SECONDS = 60
"""Longer than any request that has read the key as it was before."""
LAST_USED_RESOLUTION = 60
"""Seconds between two writes of ``last_used_at``."""


@dataclass(frozen=True)
class NewKey:
    """A freshly made key: ``plain`` is shown once and stored nowhere."""

    key_id: str
    plain: str
    secret_hash: bytes
    pepper_version: int


@dataclass(frozen=True)
class KnownKey:
    """What the door keeps of a key for some seconds: enough to recognise it, not enough to use it."""

    id: UUID
    secret_hash: bytes
    pepper_version: int
    enabled: bool
    expires_at: datetime | None
    actor: Actor
    account: Account
    rate_limit_per_hour: int | None = None
    cost_is_limited: bool = False


def _hash(secret: str, version: int) -> bytes:
    return hmac.digest(settings.API_KEY_PEPPERS[version].encode(), secret.encode(), hashlib.sha256)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def new_key() -> NewKey:
    """Make a key (not stored)."""
    key_id = _random(_ID_ALPHABET, 12)
    secret = _random(_SECRET_ALPHABET, _SECRET_LENGTH)
    version = max(settings.API_KEY_PEPPERS)
    return NewKey(key_id, f"sr_{key_id}_{secret}", _hash(secret, version), version)


def recognise(plain: str) -> KnownKey | None:
    """The key that ``plain`` is, or None when it is unknown, wrong, disabled or expired."""
    scheme, _, rest = plain.partition("_")
    key_id, separator, secret = rest.partition("_")
    if scheme != "sr" or not separator or len(key_id) != 12 or not secret:
        return None
    known = _known(key_id)
    if known is None or known.pepper_version not in settings.API_KEY_PEPPERS:
        return None
    if not hmac.compare_digest(_hash(secret, known.pepper_version), known.secret_hash):
        return None
    if not known.enabled or (known.expires_at and known.expires_at <= timezone.now()):
        return None
    _note_use(known, secret)
    return known


def _known(key_id: str) -> KnownKey | None:
    name = _cached_as(key_id)
    found: KnownKey | str | None = cache.get(name)
    known = found if isinstance(found, KnownKey) else None
    if known is None:
        with platform("find the API key of a request"):
            row = APIKey.objects.select_related("account").filter(key_id=key_id).first()
        if row is None:
            return None
        actor = Actor("api_key", row.id, f"API key {row.name}", Role(row.role), row.created_by_id, tuple(row.scopes))
        known = KnownKey(
            row.id,
            bytes(row.secret_hash),
            row.pepper_version,
            row.enabled,
            row.expires_at,
            actor,
            row.account,
            row.rate_limit_per_hour,
            row.cost_limit_per_month is not None,
        )
        # Never over the mark of somebody who changes the key: what was read before the change must not outlive it.
        cache.add(name, known, _CACHE_SECONDS)
    return known


def _cached_as(key_id: str) -> str:
    return f"api-key:{key_id}"


def forget(key_id: str) -> None:
    """Make every process look the key up for a while; whoever changes a key calls this before and after commit."""
    cache.set(_cached_as(key_id), _CHANGING, _MARK_SECONDS)


def forget_account(account_id: UUID) -> None:
    """``forget`` all keys of an account: its name or status changes."""
    with tenant(account_id):
        names = [_cached_as(key_id) for key_id in APIKey.objects.values_list("key_id", flat=True)]
    cache.set_many(dict.fromkeys(names, _CHANGING), _MARK_SECONDS)


def account_saved(sender: object, instance: Account, created: bool = False, **_: object) -> None:
    """Whoever suspends, reactivates or renames an account: its keys count so at once (receiver of post_save)."""
    if not created:
        _forget_now_and_after(instance.id)


def account_going(sender: object, instance: Account, **_: object) -> None:
    """The keys of an account that is deleted are not known a moment longer (receiver of pre_delete)."""
    with tenant(instance.id):
        key_ids = list(APIKey.objects.values_list("key_id", flat=True))
    for key_id in key_ids:
        forget(key_id)
        transaction.on_commit(partial(forget, key_id))


def _forget_now_and_after(account_id: UUID) -> None:
    forget_account(account_id)
    transaction.on_commit(partial(forget_account, account_id))


def _note_use(known: KnownKey, secret: str) -> None:
    newest = max(settings.API_KEY_PEPPERS)
    fields: dict[str, object] = {}
    if known.pepper_version != newest:
        fields = {"secret_hash": _hash(secret, newest), "pepper_version": newest}
    now = timezone.now()
    if _due(known.id, now) and cache.add(f"api-key-used:{known.id}", True, LAST_USED_RESOLUTION):
        fields["last_used_at"] = now
    if fields:
        with tenant(known.account.id):
            APIKey.objects.filter(pk=known.id).update(**fields)


_noted: dict[UUID, datetime] = {}
_MOST_NOTED = 10_000


def _due(key_id: UUID, now: datetime) -> bool:
    """Whether this process should ask the others if a use is to be written; saves a round trip per request."""
    last = _noted.get(key_id)
    if last is not None and timedelta(0) <= now - last < timedelta(seconds=LAST_USED_RESOLUTION):
        return False
    if len(_noted) >= _MOST_NOTED:
        _noted.clear()
    _noted[key_id] = now
    return True
