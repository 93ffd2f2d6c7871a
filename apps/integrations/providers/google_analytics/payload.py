"""Events in the form and within the limits of the Measurement Protocol.

Google answers 204 to whatever it gets and drops what breaks a rule, so the rules are kept here
(developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events, «Limitations», and
…/ga4/reference, «Reserved names»).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson

from apps.integrations.contracts.analytics import TrackedEvent
from apps.integrations.providers.errors import Refused

PARAMETERS = 25
NAME = 40
VALUE = 100
OLDEST_HOURS = 72
_SESSION = 30 * 60
"""Seconds: Google begins a new session after half an hour without events."""
_RESERVED = frozenset(
    (
        *("ad_activeview", "ad_click", "ad_exposure", "ad_query", "ad_reward", "adunit_exposure", "app_background"),
        *("app_clear_data", "app_exception", "app_remove", "app_store_refund", "app_store_subscription_cancel"),
        *("app_store_subscription_convert", "app_store_subscription_renew", "app_update", "app_upgrade"),
        *("dynamic_link_app_open", "dynamic_link_app_update", "dynamic_link_first_open", "error", "first_open"),
        *("first_visit", "in_app_purchase", "notification_dismiss", "notification_foreground", "notification_open"),
        *("notification_receive", "notification_send", "os_update", "screen_view", "session_start"),
        "user_engagement",
    )
)
_RESERVED_PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.")


def payload_of(event: TrackedEvent) -> dict[str, Any]:
    """The body of one event. Raises Refused for one that Google would drop."""
    parameters = _parameters(event)
    return {
        "client_id": client_id(event.subject),
        "user_id": event.subject,
        "timestamp_micros": int(event.at.timestamp() * 1_000_000),
        "events": [{"name": event_name(event.name), "params": parameters}],
    }


def client_id(subject: str) -> str:
    """Two numbers with a dot, as the browser's are: the same ones for the same subject, and nothing of it in them."""
    digest = hashlib.sha256(f"client:{subject}".encode()).digest()
    return f"{int.from_bytes(digest[:4])}.{int.from_bytes(digest[4:8])}"


def event_name(name: str) -> str:
    """The name with underscores for what Google does not take: contact.created is contact_created."""
    told = re.sub(r"[^A-Za-z0-9_]", "_", name.strip())
    if not re.fullmatch(rf"[A-Za-z][A-Za-z0-9_]{{0,{NAME - 1}}}", told):
        raise Refused(f"Google Analytics: an event's name begins with a letter and has at most {NAME} characters.")
    if told in _RESERVED or told.lower().startswith(_RESERVED_PREFIXES):
        raise Refused(f"Google Analytics keeps the event name {told} for itself.")
    return told


def _parameters(event: TrackedEvent) -> dict[str, Any]:
    # Without these two an event is counted and shows up in no report of people's activity.
    session = int(event.at.timestamp()) // _SESSION * _SESSION
    found: dict[str, Any] = {"session_id": str(session), "engagement_time_msec": 1}
    for name, value in event.properties.items():
        if value is not None:
            found[_parameter_name(str(name))] = _value(value)
    if len(found) > PARAMETERS:
        own = PARAMETERS - 2
        raise Refused(f"Google Analytics: an event has at most {own} properties beside its session.")
    return found


def _parameter_name(name: str) -> str:
    told = re.sub(r"[^A-Za-z0-9_]", "_", name.strip())
    if not re.fullmatch(rf"[A-Za-z][A-Za-z0-9_]{{0,{NAME - 1}}}", told):
        raise Refused(f"Google Analytics: a property's name begins with a letter and has at most {NAME} characters.")
    if told.lower().startswith(_RESERVED_PREFIXES):
        raise Refused(f"Google Analytics keeps the property name {told} for itself.")
    return told


def _value(value: Any) -> Any:
    """A number as it is, anything else as a text, cut where Google would drop it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text[:VALUE]
