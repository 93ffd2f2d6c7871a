"""Deliveries of WhatsApp, signed as developers.facebook.com/docs/graph-api/webhooks says: HMAC-SHA256 over the body.

When the address is entered, a GET asks with the verify token for its challenge back. No time is signed, so the ids of
events keep repeats apart: deliveries are repeated for days until they are taken.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    json_object,
    moment,
    require_same,
    secret_of,
)


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """Messages and states of messages, or the challenge to send back. Raises NotGenuine."""
    if delivery.method == "GET":
        return _challenge(delivery, credentials)
    secret = secret_of(credentials, "app_secret")
    expected = "sha256=" + hmac.new(secret, delivery.body, hashlib.sha256).hexdigest()
    require_same(delivery.headers.get("x-hub-signature-256", ""), expected)
    return Received(events=tuple(_events(json_object(delivery.body))))


def _challenge(delivery: Delivery, credentials: Mapping[str, str]) -> Received:
    query = {name: values[0] for name, values in parse_qs(urlsplit(delivery.url).query).items()}
    require_same(query.get("hub.verify_token", ""), secret_of(credentials, "verify_token").decode())
    if query.get("hub.mode") != "subscribe":
        raise NotGenuine("The request is not to subscribe.")
    return Received(reply=query.get("hub.challenge", ""))


def _events(body: dict[str, Any]) -> Iterator[ProviderEvent]:
    for entry in _objects(body, "entry"):
        for change in _objects(entry, "changes"):
            field = str(change.get("field", ""))
            value = change.get("value")
            if field == "messages" and isinstance(value, dict):
                yield from _messages(value)
            elif field:
                # Templates, quality, the account: rare, and without an id of their own.
                digest = hashlib.sha256(orjson.dumps([entry.get("id"), entry.get("time"), change])).hexdigest()
                yield ProviderEvent(id=digest, kind=field, payload=change, at=moment(entry.get("time")))


def _messages(value: dict[str, Any]) -> Iterator[ProviderEvent]:
    about: dict[str, Any] = {name: value[name] for name in ("metadata", "contacts") if name in value}
    for message in _objects(value, "messages"):
        if message.get("id"):
            payload = {**about, "message": message}
            yield ProviderEvent(
                id=str(message["id"]), kind="message.received", payload=payload, at=moment(message.get("timestamp"))
            )
    for status in _objects(value, "statuses"):
        if status.get("id"):
            state = str(status.get("status", ""))
            yield ProviderEvent(
                id=f"{status['id']}:{state}",
                kind=f"message.{state}",
                payload={**about, "status": status},
                at=moment(status.get("timestamp")),
            )


def _objects(value: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    found = value.get(name)
    if isinstance(found, list):
        yield from (entry for entry in found if isinstance(entry, dict))
