"""Sending events to where people look at figures."""

from __future__ import annotations

from apps.accounts.actors import Actor
from apps.integrations.contracts.analytics import TrackedEvent
from apps.integrations.services.arguments import wrong
from apps.integrations.services.calling import calling


def track(event: TrackedEvent, *, actor: Actor, provider: str | None = None) -> None:
    """Send an event. Raises ValidationError, PermissionDenied, OutboundError."""
    if not event.name.strip():
        raise wrong("name", "Name the event.", "required")
    if "@" in event.subject:
        raise wrong("subject", "Name the person by an id, not by an e-mail address.", "personal_data")
    with calling("analytics.track", actor=actor, provider=provider) as call:
        call.client.track(event)
