"""An authenticator app: time-based codes (RFC 6238, 30 seconds, 6 digits, SHA-1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time


def code(secret: str) -> str:
    """The code that the app shows now for a Base32 ``secret``."""
    key = base64.b32decode(secret.replace(" ", "").upper() + "=" * (-len(secret.replace(" ", "")) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    start = digest[-1] & 0xF
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def wait_for_time_to_type(seconds: int = 20) -> None:
    """A code holds for the rest of its thirty seconds: a slow machine must not type it when it has just run out."""
    left = 30 - time.time() % 30
    if left < seconds:
        time.sleep(left)
