"""What services send by themselves: a provider's ``webhook.py`` verifies it and reads it.

``webhook.py`` holds one function, ``receive(delivery, credentials, settings) -> Received``. It raises NotGenuine for
whatever is not provably the service's own, by the service's documented signature. Comparisons take constant time.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson

TOLERANCE = timedelta(minutes=5)
"""How old a delivery's signed time may be, and how far ahead of our clock."""


class NotGenuine(Exception):
    """The signature is missing, wrong or too old. ``str(error)`` says which, and holds nothing that was sent."""


@dataclass(frozen=True)
class Delivery:
    """A request as it came. ``url`` is the whole address as the service knows it: some sign it."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    received_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ProviderEvent:
    """One thing the service tells of. ``id`` is the service's own: the same one is taken once."""

    id: str
    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    at: datetime | None = None


@dataclass(frozen=True)
class Received:
    """What was in a delivery. ``reply`` is for services that first ask for a word back (challenge)."""

    events: tuple[ProviderEvent, ...] = ()
    reply: str = ""
    reply_type: str = "text/plain"


class Receive(Protocol):
    """The function of ``webhook.py``."""

    def __call__(self, delivery: Delivery, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> Received:
        """Verify and read. Raises NotGenuine."""


def require_recent(sent_at: datetime, delivery: Delivery, tolerance: timedelta = TOLERANCE) -> None:
    """Raises NotGenuine unless the signed time is near: what was overheard can't be sent again later."""
    now = delivery.received_at or datetime.now(UTC)
    if abs(now - sent_at) > tolerance:
        raise NotGenuine("The signed time is too far from now.")


def json_object(body: bytes) -> dict[str, Any]:
    """The body of a verified delivery. Raises NotGenuine for one that is no object: the service sends objects."""
    found = json_value(body)
    if not isinstance(found, dict):
        raise NotGenuine("The body is not a JSON object.")
    return found


def json_value(body: bytes) -> Any:
    """The body of a verified delivery, parsed. Raises NotGenuine."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotGenuine("The body is not JSON.") from None


def secret_of(credentials: Mapping[str, str], name: str) -> bytes:
    """The secret that deliveries are verified with. Raises NotGenuine when the connection has none."""
    secret = credentials.get(name, "")
    if not secret:
        raise NotGenuine("The connection has no secret to verify deliveries with.")
    return secret.encode()


def require_same(given: str, expected: str) -> None:
    """Raises NotGenuine unless both are the same. Takes constant time, whatever was sent."""
    if not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
        raise NotGenuine("The signature is missing or wrong.")


def moment(seconds: Any) -> datetime | None:
    """Unix time, as services write it (a number, or digits in a text); None for what is no time."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
