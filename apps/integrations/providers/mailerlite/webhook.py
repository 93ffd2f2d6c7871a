"""Events of MailerLite, signed as developers.mailerlite.com/docs/webhooks says: HMAC-SHA256 over the body.

Events have no id and no time that is signed; a repeat holds the same, so the digest of an event stands for it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from apps.integrations.providers.webhooks import (
    Delivery,
    ProviderEvent,
    Received,
    json_object,
    require_same,
    secret_of,
)


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """What happened to subscribers and campaigns: one event, or a batch of them. Raises NotGenuine."""
    secret = secret_of(credentials, "webhook_secret")
    expected = hmac.new(secret, delivery.body, hashlib.sha256).hexdigest()
    require_same(delivery.headers.get("signature", ""), expected)
    body = json_object(delivery.body)
    batch = body.get("events")
    entries = batch if isinstance(batch, list) else [body]
    # In a batch, two that hold the same are one.
    found = {_digest(entry): entry for entry in entries if isinstance(entry, dict) and entry}
    return Received(
        events=tuple(ProviderEvent(id=key, kind=_kind(entry), payload=entry) for key, entry in found.items())
    )


def _digest(entry: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _kind(entry: dict[str, Any]) -> str:
    return str(entry.get("event") or entry.get("type") or "unknown")
