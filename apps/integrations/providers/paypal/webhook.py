"""Events of PayPal, verified by certificate (developer.paypal.com/api/rest/webhooks/rest, "Self verification method").

RSA with SHA-256 over delivery id, time, webhook id and CRC-32 of the body; the certificate lies at PayPal. The other
documented way, asking PayPal's verify-webhook-signature, would send every delivery there and back before it is
answered, and breaks on bodies that are parsed and written again.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from apps.integrations.providers.paypal.certificates import certificate_at
from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    json_object,
    require_recent,
)

_REPEATED_FOR = timedelta(days=4)
"""PayPal repeats a delivery for three days and documents no window; ids of events keep repeats apart."""


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """The event of a delivery. Raises NotGenuine; OutboundError when the certificate can't be had now."""
    webhook_id = credentials.get("webhook_id", "")
    if not webhook_id:
        raise NotGenuine("The connection has no webhook ID.")
    headers = delivery.headers
    if headers.get("paypal-auth-algo", "") != "SHA256withRSA":
        raise NotGenuine("The signature is of another kind.")
    transmission, sent_at = headers.get("paypal-transmission-id", ""), headers.get("paypal-transmission-time", "")
    signature = _signature(headers.get("paypal-transmission-sig", ""))
    require_recent(_time(sent_at), delivery, _REPEATED_FOR)  # before anybody is asked for a certificate
    certificate = certificate_at(headers.get("paypal-cert-url", ""), credentials, settings)
    signed = f"{transmission}|{sent_at}|{webhook_id}|{zlib.crc32(delivery.body)}".encode(errors="replace")
    key = certificate.public_key()
    now = delivery.received_at or datetime.now(UTC)
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise NotGenuine("The certificate holds no key of the kind.")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise NotGenuine("The certificate is not valid now.")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        raise NotGenuine("The signature is wrong.") from None
    event = json_object(delivery.body)
    if not event.get("id"):
        raise NotGenuine("The event has no id.")
    created = event.get("create_time")
    return Received(
        events=(
            ProviderEvent(
                id=str(event["id"]),
                kind=str(event.get("event_type") or "unknown"),
                payload=event,
                at=_time(created) if isinstance(created, str) else None,
            ),
        )
    )


def _signature(text: str) -> bytes:
    try:
        found = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise NotGenuine("The signature is missing or can't be read.") from None
    if not found or base64.b64encode(found).decode() != text:  # one spelling only
        raise NotGenuine("The signature is missing or can't be read.")
    return found


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NotGenuine("The time can't be read.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
