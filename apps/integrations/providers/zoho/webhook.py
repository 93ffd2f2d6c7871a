"""Notifications of Zoho CRM (Notification APIs).

Zoho signs nothing: it sends back the token that was given when notifications were switched on, in the body. So what
is proved is that the sender knows the token, and no more; TLS keeps it from others.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from apps.integrations.providers.webhooks import Delivery, NotGenuine, ProviderEvent, Received, json_object, moment


def receive(delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
    """The event of a delivery: one change, of one or more records of a module. Raises NotGenuine."""
    secret = credentials.get("webhook_token", "")
    if not secret:
        raise NotGenuine("The connection has no notification token.")
    payload = json_object(delivery.body)
    given = payload.pop("token", None)
    if not isinstance(given, str) or not hmac.compare_digest(secret.encode(), given.encode(errors="replace")):
        raise NotGenuine("The token is wrong.")
    changed = payload.get("server_time")
    operation, module = str(payload.get("operation") or "unknown"), str(payload.get("module") or "unknown")
    # Zoho numbers no notifications: the same change, sent again, is the same body.
    digest = hashlib.sha256(delivery.body).hexdigest()
    return Received(
        events=(
            ProviderEvent(
                id=digest,
                kind=f"{module}.{operation}",
                payload=payload,
                at=moment(changed / 1000) if isinstance(changed, int) else None,
            ),
        )
    )
