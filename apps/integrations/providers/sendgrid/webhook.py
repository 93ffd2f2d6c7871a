"""Events of SendGrid, signed as its «Signed Event Webhook» says: ECDSA (P-256, SHA-256) over time and body.

SendGrid documents no window for the time and repeats deliveries for a day, so the ids of events keep repeats apart.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    json_value,
    moment,
    secret_of,
)

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIME = "x-twilio-email-event-webhook-timestamp"


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """What became of mails. Raises NotGenuine."""
    key = _key(secret_of(credentials, "webhook_public_key"))
    signature = _decoded(delivery.headers.get(SIGNATURE, "").encode(errors="replace"))
    signed = delivery.headers.get(TIME, "").encode(errors="replace") + delivery.body
    try:
        key.verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise NotGenuine("The signature is wrong.") from None
    body = json_value(delivery.body)
    if not isinstance(body, list):
        raise NotGenuine("The body is not a list.")
    return Received(events=tuple(_event(entry) for entry in body if isinstance(entry, dict) and _id(entry)))


def _key(text: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(_decoded(text))
    except (ValueError, UnsupportedAlgorithm):
        raise NotGenuine("The connection's verification key can't be read.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotGenuine("The connection's verification key is of another kind.")
    return key


def _decoded(text: bytes) -> bytes:
    """The bytes of Base64 in its one proper spelling: two signatures must not be the same one."""
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise NotGenuine("The signature is missing or can't be read.") from None
    if base64.b64encode(found) != text:
        raise NotGenuine("The signature can't be read.")
    return found


def _id(entry: dict[str, Any]) -> str:
    return str(entry.get("sg_event_id") or "")


def _event(entry: dict[str, Any]) -> ProviderEvent:
    kind = str(entry.get("event") or "unknown")
    return ProviderEvent(id=_id(entry), kind=kind, payload=entry, at=moment(entry.get("timestamp")))
