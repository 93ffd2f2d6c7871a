"""Messages to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Progress = Literal["queued", "sent", "delivered", "failed"]


@dataclass(frozen=True, kw_only=True)
class OutgoingMessage:
    """A message. ``to``: a phone number (E.164), or a channel, as the service addresses people."""

    to: str
    text: str


@dataclass(frozen=True, kw_only=True)
class SentMessage:
    """What became of it so far. ``id`` is the service's."""

    id: str
    progress: Progress
    to: str


class Communication(Protocol):
    """What clients of the category offer."""

    def send_message(self, message: OutgoingMessage) -> SentMessage:
        """Send the message. Never repeated by itself: nobody wants it twice. Raises OutboundError."""
