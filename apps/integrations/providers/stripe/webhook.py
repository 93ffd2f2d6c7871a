"""Events of Stripe, signed as docs.stripe.com/webhooks/signature says: HMAC-SHA256 over time and body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    json_object,
    moment,
    require_recent,
)


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """The event of a delivery. Raises NotGenuine.

    While a signing secret is being replaced Stripe signs with the old and the new one, so one good ``v1`` suffices.
    """
    secret = credentials.get("webhook_secret", "")
    if not secret:
        raise NotGenuine("The connection has no signing secret.")
    sent_at, signatures = _read(delivery.headers.get("stripe-signature", ""))
    signed = sent_at.encode() + b"." + delivery.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(expected.encode(), given.encode()) for given in signatures):
        raise NotGenuine("The signature is wrong.")
    require_recent(datetime.fromtimestamp(int(sent_at), UTC), delivery)
    event = json_object(delivery.body)
    if not event.get("id"):
        raise NotGenuine("The event has no id.")
    return Received(
        events=(
            ProviderEvent(
                id=str(event["id"]),
                kind=str(event.get("type") or "unknown"),
                payload=event,
                at=moment(event.get("created")),
            ),
        )
    )


def _read(header: str) -> tuple[str, list[str]]:
    """The time and the ``v1`` signatures of a ``Stripe-Signature``. Raises NotGenuine."""
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in pairs if name == "t"]
    signatures = [value for name, value in pairs if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12 or not signatures:
        raise NotGenuine("The signature header is missing or can't be read.")
    return times[0], signatures
