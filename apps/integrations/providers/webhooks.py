"""What services send by themselves: a provider's ``webhook.py`` verifies it and reads it.

``webhook.py`` holds one function, ``receive(delivery, credentials, settings) -> Received``. It raises NotGenuine for
whatever is not provably the service's own, by the service's documented signature. Comparisons take constant time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class NotGenuine(Exception):
    """The signature is missing, wrong or too old. ``str(error)`` says which, and holds nothing that was sent."""


@dataclass(frozen=True)
class Delivery:
    """A request as it came. ``url`` is the whole address as the service knows it: some sign it."""

    method: str
    url: str
    headers: Mapping[str, str]
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
