"""Addresses and places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place: degrees north and east (WGS 84), and its address in words."""

    latitude: float
    longitude: float
    address: str
    id: str = ""
    kind: str = ""


class Maps(Protocol):
    """What clients of the category offer."""

    def geocode(self, address: str, *, language: str = "") -> list[Place]:
        """Where an address may be, likeliest first; none is no error. Raises OutboundError."""

    def reverse(self, latitude: float, longitude: float, *, language: str = "") -> list[Place]:
        """What is at a place, nearest first; none is no error. Raises OutboundError."""
