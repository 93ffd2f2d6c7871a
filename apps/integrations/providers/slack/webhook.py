"""Events of Slack, signed as docs.slack.dev/authentication/verifying-requests-from-slack says.

HMAC-SHA256 over version, time and body; the time may be five minutes off. Slack's first request asks for its
``challenge`` back. Buttons, dialogs and commands come as forms, events as JSON.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    json_object,
    moment,
    require_recent,
    require_same,
    secret_of,
)


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """What was sent, or the challenge to send back. Raises NotGenuine."""
    secret = secret_of(credentials, "signing_secret")
    sent_at = delivery.headers.get("x-slack-request-timestamp", "")
    signed = b"v0:" + sent_at.encode(errors="replace") + b":" + delivery.body
    expected = "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    require_same(delivery.headers.get("x-slack-signature", ""), expected)
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12):
        raise NotGenuine("The signed time can't be read.")
    require_recent(datetime.fromtimestamp(int(sent_at), UTC), delivery)
    if delivery.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return _form(delivery.body)
    return _event(json_object(delivery.body))


def _event(body: dict[str, Any]) -> Received:
    if body.get("type") == "url_verification":
        return Received(reply=str(body.get("challenge", "")))
    inner = body.get("event")
    kind = inner.get("type") if isinstance(inner, dict) else body.get("type")
    if not body.get("event_id"):
        return Received()  # app_rate_limited and the like: nothing happened
    body.pop("token", None)  # the verification token of old, a secret that proves nothing
    event = ProviderEvent(id=str(body["event_id"]), kind=str(kind), payload=body, at=moment(body.get("event_time")))
    return Received(events=(event,))


def _form(body: bytes) -> Received:
    """A button or dialog (``payload``), or a command. Their ``trigger_id`` is of one use."""
    fields = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
    found = json_object(fields["payload"].encode()) if "payload" in fields else dict(fields)
    kind = str(found.get("type") or "command")
    if not found.get("trigger_id"):
        return Received()
    found.pop("token", None)
    return Received(events=(ProviderEvent(id=str(found["trigger_id"]), kind=kind, payload=found),))
