"""Deliveries of Mailchimp. They are not signed: Mailchimp says to put a secret in the address and to compare it
(mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks).

When the address is entered, Mailchimp asks with a GET, secret and all, whether somebody is there. Deliveries have no
id; a repeat is the same to the last byte, so the digest of its bytes stands for one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from apps.integrations.providers.webhooks import (
    Delivery,
    NotGenuine,
    ProviderEvent,
    Received,
    require_same,
    secret_of,
)

_MOST_FIELDS = 1000
_DEEPEST = 8
"""Brackets in one name; Mailchimp writes four (``data[merges][GROUPINGS][0][name]``)."""


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """What happened to a person or campaign. Raises NotGenuine."""
    secret = secret_of(credentials, "webhook_secret").decode()
    given = parse_qs(urlsplit(delivery.url).query).get("secret", [])
    require_same(given[0] if len(given) == 1 else "", secret)
    if delivery.method in {"GET", "HEAD"}:
        return Received()
    try:
        fields = parse_qsl(delivery.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise NotGenuine("The body is no form.") from None
    payload = _nested(fields)
    kind = payload.get("type")
    if not isinstance(kind, str) or not kind:
        return Received()
    digest = hashlib.sha256(delivery.body).hexdigest()
    return Received(events=(ProviderEvent(id=digest, kind=kind, payload=payload, at=_time(payload.get("fired_at"))),))


def _nested(fields: list[tuple[str, str]]) -> dict[str, Any]:
    """``data[merges][FNAME]=…`` as objects in objects. Raises NotGenuine for thousands of them in each other."""
    found: dict[str, Any] = {}
    for name, value in fields:
        if name.count("[") > _DEEPEST:
            raise NotGenuine("The body's fields are deeper in each other than Mailchimp sends them.")
        *path, last = name.replace("]", "").split("[")
        place = found
        for step in path:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            place[last] = value
    return found


def _time(value: Any) -> datetime | None:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
