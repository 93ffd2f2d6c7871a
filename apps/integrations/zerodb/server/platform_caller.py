"""The product itself as a caller of its embedded server.

Its key is derived from SECRET_KEY and stored nowhere but as a hash, like any other. When SECRET_KEY changes, the next
use registers the new key and revokes the old one; the caller, and with it the projects, stay.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps.accounts.tenancy.scope import platform
from apps.integrations.models import ZeroCaller, ZeroKey
from apps.integrations.zerodb.server import walls
from apps.integrations.zerodb.server.store import keys

PLATFORM_CALLER = UUID("5b0f2c4e-0000-7000-8000-7374726f6e67")
_NAME = "Strongroom"


def platform_key() -> str:
    """The key, whether or not the server knows it yet."""
    salt = "apps.integrations.zerodb.platform-caller"
    secret = salted_hmac(salt, "key", secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()
    return f"{keys.PREFIX}platform_{secret}"


def ensure_platform_key() -> str:
    """The key, known to the server from now on. Safe to call from many processes at once."""
    plain = platform_key()
    if keys.recognise(plain) is None:
        _register(plain)
    return plain


def _register(plain: str) -> None:
    with platform("make the product a caller of its embedded ZeroDB server"):
        ZeroCaller.objects.get_or_create(id=PLATFORM_CALLER, defaults={"name": _NAME, "unlimited_projects": True})
    with walls.caller(PLATFORM_CALLER):
        digest = keys.digest(plain)
        ZeroKey.objects.get_or_create(key_hash=digest, defaults={"name": _NAME, "public_id": "platform"})
        others = ZeroKey.objects.filter(project_id=None, revoked_at=None).exclude(key_hash=digest)
        others.update(revoked_at=timezone.now())
