"""Notifications of HubSpot, by version 3 of its signature (developers.hubspot.com, "Validating requests").

HMAC-SHA256 with the app's client secret over method, address, body and time, in Base64. HubSpot signs the address
with a few percent-encoded characters decoded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    json_value,
    moment,
    require_recent,
)

_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """The events of a delivery: HubSpot sends up to a hundred in one. Raises NotGenuine."""
    secret = credentials.get("client_secret", "")
    if not secret:
        raise NotGenuine("The connection has no client secret.")
    sent_at = delivery.headers.get("x-hubspot-request-timestamp", "")
    if not (sent_at.isascii() and sent_at.isdigit()) or len(sent_at) > 16:
        raise NotGenuine("The time of the request is missing.")
    signed = delivery.method.encode() + _decoded(delivery.url).encode() + delivery.body + sent_at.encode()
    expected = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())
    given = delivery.headers.get("x-hubspot-signature-v3", "").encode()
    if not hmac.compare_digest(expected, given):
        raise NotGenuine("The signature is wrong.")
    at = moment(int(sent_at) / 1000)
    if at is None:
        raise NotGenuine("The time of the request can't be read.")
    require_recent(at, delivery)
    events = json_value(delivery.body)
    return Received(events=tuple(_event(entry) for entry in (events if isinstance(events, list) else [events])))


def _event(entry: Any) -> ProviderEvent:
    if not isinstance(entry, dict):
        raise NotGenuine("An event is no object.")
    occurred = entry.get("occurredAt")
    # HubSpot says of eventId that it is not unique by itself.
    parts = (entry.get(name, "") for name in ("portalId", "eventId", "subscriptionId", "objectId", "occurredAt"))
    return ProviderEvent(
        id=":".join(str(part) for part in parts),
        kind=str(entry.get("subscriptionType") or "unknown"),
        payload=entry,
        at=moment(occurred / 1000) if isinstance(occurred, int) else None,
    )


def _decoded(url: str) -> str:
    for escaped, letter in _DECODED.items():
        url = url.replace(escaped, letter).replace(escaped.lower(), letter)
    return url
