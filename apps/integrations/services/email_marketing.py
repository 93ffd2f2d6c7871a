"""Putting people on mailing lists, and taking them off."""

from __future__ import annotations

from apps.accounts.actors import Actor
from apps.integrations.contracts.email_marketing import Subscriber, Subscription
from apps.integrations.services.arguments import email_address
from apps.integrations.services.calling import calling


def subscribe(subscriber: Subscriber, *, actor: Actor, audience: str = "", provider: str | None = None) -> Subscription:
    """Put a person on a list. Raises ValidationError, PermissionDenied, OutboundError."""
    email_address(subscriber.email)
    with calling("email_marketing.subscribe", actor=actor, provider=provider) as call:
        subscription: Subscription = call.client.subscribe(subscriber, audience=audience)
    call.sent_personal_data(*(name for name in ("email", "name", "tags") if getattr(subscriber, name)))
    return subscription


def unsubscribe(email: str, *, actor: Actor, audience: str = "", provider: str | None = None) -> Subscription:
    """Take a person off a list. Raises ValidationError, PermissionDenied, OutboundError."""
    email_address(email)
    with calling("email_marketing.unsubscribe", actor=actor, provider=provider) as call:
        subscription: Subscription = call.client.unsubscribe(email, audience=audience)
    call.sent_personal_data("email")
    return subscription
