"""Deliveries of Twilio, signed as twilio.com/docs/usage/security says: HMAC-SHA1 over the address and what was posted.

Forms are signed by their fields, in the order of their names; other bodies by their SHA-256, which stands in the
address. Twilio documents no time in its signature, so the ids of events keep repeats apart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    json_value,
    require_same,
    secret_of,
)

NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
"""Twilio asks what to do about a message that came in (TwiML)."""
_PORTS = {"https": 443, "http": 80}


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """The message or the state of one. Raises NotGenuine."""
    token = secret_of(credentials, "auth_token")
    given = delivery.headers.get("x-twilio-signature", "")
    query = parse_qs(urlsplit(delivery.url).query, keep_blank_values=True)
    digest = query.get("bodySHA256", [""])[0]
    try:
        # Forms are UTF-8 (URL standard); what is not was not sent by Twilio, and must not be read as something else.
        fields = {} if digest else parse_qs(delivery.body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise NotGenuine("The body is no form.") from None
    signed = "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    matches = [
        hmac.compare_digest(given.encode(errors="replace"), _sign(token, url + signed)) for url in _urls(delivery)
    ]
    if not any(matches):
        raise NotGenuine("The signature is missing or wrong.")
    if digest:
        require_same(hashlib.sha256(delivery.body).hexdigest(), digest)
        return _json(json_value(delivery.body))
    return _message({name: values[0] for name, values in (fields or query).items()})


def _sign(token: bytes, text: str) -> bytes:
    return base64.b64encode(hmac.new(token, text.encode(errors="replace"), hashlib.sha1).digest())


def _urls(delivery: Delivery) -> Iterator[str]:
    """The address with and without the port that goes without saying: Twilio's servers do not agree on it."""
    yield delivery.url
    try:
        parts = urlsplit(delivery.url)
        port = parts.port
    except ValueError:
        return
    usual = _PORTS.get(parts.scheme)
    if port is None:
        yield parts._replace(netloc=f"{parts.netloc}:{usual}").geturl()
    elif port == usual:
        yield parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()


def _message(fields: dict[str, str]) -> Received:
    sid = fields.get("MessageSid") or fields.get("SmsSid")
    if not sid:
        return Received()
    state = fields.get("MessageStatus") or fields.get("SmsStatus") or "received"
    event = ProviderEvent(id=f"{sid}:{state}", kind=f"message.{state}", payload=fields)
    reply = NOTHING_TO_SAY if state == "received" else ""
    return Received(events=(event,), reply=reply, reply_type="text/xml" if reply else "text/plain")


def _json(body: Any) -> Received:
    """CloudEvents of Twilio's event streams: one or a list."""
    events = []
    for entry in body if isinstance(body, list) else [body]:
        if isinstance(entry, dict) and entry.get("id"):
            events.append(ProviderEvent(id=str(entry["id"]), kind=str(entry.get("type", "")), payload=entry))
    return Received(events=tuple(events))
