"""One-use tokens for the day on which a super admin's authenticator is gone (break-glass).

A token is 80 random bits, shown once. django-otp's table would hold it in clear; here it holds the first 80 bits
of its SHA-256, which is enough for a random secret. Tokens that ``addstatictoken`` of django-otp made (eight
characters, in clear) work as well.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice

from apps.accounts.models import User

_BYTES = 10
_PLAIN_LENGTH = 8
DEVICE_NAME = "Break-glass"


class TooManyTries(RuntimeError):
    """The device refuses for a while after wrong tokens."""


def mint(user: User, *, count: int = 5) -> list[str]:
    """Replace all static tokens of ``user`` by ``count`` fresh ones, in the form in which they are shown."""
    tokens = [_text(secrets.token_bytes(_BYTES)) for _ in range(count)]
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name=DEVICE_NAME)
        for token in tokens:
            device.token_set.create(token=_stored(token))
    return ["-".join(token[at : at + 4] for at in range(0, len(token), 4)) for token in tokens]


def left(user: User) -> int:
    """How many unused tokens ``user`` has."""
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user, confirmed=True))


@transaction.atomic
def use(user: User, token: str) -> StaticDevice | None:
    """Use ``token`` up and return its device; None when it is wrong or used. Raises TooManyTries."""
    bare = "".join(token.split()).replace("-", "").lower()
    candidates = [_stored(bare), *([bare] if len(bare) == _PLAIN_LENGTH else [])]
    for device in StaticDevice.objects.filter(user=user, confirmed=True).select_for_update():
        if not device.verify_is_allowed()[0]:
            raise TooManyTries
        match = device.token_set.filter(token__in=candidates).first()
        if match is not None:
            match.delete()
            device.throttle_reset(commit=False)
            device.set_last_used_timestamp(commit=False)
            device.save()
            return device
        device.throttle_increment()
    return None


def _stored(bare: str) -> str:
    return _text(hashlib.sha256(bare.encode()).digest()[:_BYTES])


def _text(data: bytes) -> str:
    return base64.b32encode(data).decode().lower()
