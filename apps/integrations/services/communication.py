"""Messages to people."""

from __future__ import annotations

from apps.accounts.actors import Actor
from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.services.arguments import wrong
from apps.integrations.services.calling import calling

LONGEST = 4000
"""Characters of a message; services have narrower rules of their own."""


def send_message(message: OutgoingMessage, *, actor: Actor, provider: str | None = None) -> SentMessage:
    """Send a message, once. Raises ValidationError, PermissionDenied, OutboundError."""
    if not message.to.strip():
        raise wrong("to", "Say whom to write to.", "required")
    if not 1 <= len(message.text.strip()) <= LONGEST:
        raise wrong("text", f"Write between 1 and {LONGEST:,} characters.", "length")
    with calling("communication.send_message", actor=actor, provider=provider) as call:
        sent: SentMessage = call.client.send_message(message)
    call.sent_personal_data("recipient", "text")
    return sent
