"""Addresses and places."""

from __future__ import annotations

from apps.accounts.actors import Actor
from apps.integrations.contracts.maps import Place
from apps.integrations.services.arguments import wrong
from apps.integrations.services.calling import calling


def geocode(address: str, *, actor: Actor, language: str = "", provider: str | None = None) -> list[Place]:
    """Where an address may be, likeliest first. Raises ValidationError, PermissionDenied, OutboundError."""
    address = " ".join(address.split())
    if not 1 <= len(address) <= 500:
        raise wrong("address", "Enter an address of at most 500 characters.", "length")
    with calling("maps.geocode", actor=actor, provider=provider) as call:
        places: list[Place] = call.client.geocode(address, language=language)
    call.sent_personal_data("address")
    return places


def reverse(
    latitude: float, longitude: float, *, actor: Actor, language: str = "", provider: str | None = None
) -> list[Place]:
    """What is at a place (degrees, WGS 84), nearest first. Raises ValidationError, PermissionDenied, OutboundError."""
    if not -90 <= latitude <= 90:
        raise wrong("latitude", "Must be between -90 and 90.", "range")
    if not -180 <= longitude <= 180:
        raise wrong("longitude", "Must be between -180 and 180.", "range")
    with calling("maps.reverse", actor=actor, provider=provider) as call:
        places: list[Place] = call.client.reverse(latitude, longitude, language=language)
    call.sent_personal_data("position")
    return places
