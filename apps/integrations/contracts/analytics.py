"""Events for those who look at figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class TrackedEvent:
    """Something that happened. ``id`` makes sending it twice count once, where the service can."""

    id: str
    name: str
    subject: str
    """Who did it: an id of ours, never an e-mail address."""
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


class Analytics(Protocol):
    """What clients of the category offer."""

    def track(self, event: TrackedEvent) -> None:
        """Send the event. Raises OutboundError."""
