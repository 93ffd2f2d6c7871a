"""A grant as callers see it, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

LONGEST_MARGIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Grant:
    """What a service gave (RFC 6749 section 5.1). ``expires_at`` None: it lasts until it is revoked.

    ``facts`` are what the service said with it and calls need: the address of the customer's own server, for example.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    granted_at: datetime | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def due_at(self) -> datetime | None:
        """When it should be refreshed: 15 minutes before its end, or half of its life if that is less."""
        if self.expires_at is None:
            return None
        if self.granted_at is None:
            return self.expires_at - LONGEST_MARGIN
        return self.expires_at - min(LONGEST_MARGIN, (self.expires_at - self.granted_at) / 2)

    def is_due(self, now: datetime) -> bool:
        """Whether it should be refreshed now."""
        due = self.due_at
        return due is not None and now >= due

    def works(self, now: datetime) -> bool:
        """Whether its time is not over."""
        return self.expires_at is None or now < self.expires_at

    def followed_by(self, new: Grant) -> Grant:
        """``new`` as it takes this one's place: a service that sends no new refresh token leaves the old one valid."""
        return replace(
            new,
            refresh_token=new.refresh_token or self.refresh_token,
            scopes=new.scopes or self.scopes,
            facts={**self.facts, **new.facts},
        )


def to_pair(grant: Grant) -> dict[str, Any]:
    """The secret part as it is stored."""
    pair: dict[str, Any] = {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    return {**pair, "facts": dict(grant.facts)} if grant.facts else pair


class TokenError(Exception):
    """No access token can be had. ``str(error)`` is for people; ``todo`` the one thing to do."""

    todo = ""


class NoToken(TokenError):
    """Nobody has connected this yet."""

    todo = "Connect it."


class NotNow(TokenError):
    """Refreshing failed; it is tried again by itself after ``retry_after`` seconds."""

    todo = "Nothing: it is tried again."

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ReauthRequired(TokenError):
    """The service takes the grant no more."""

    todo = "Connect it again: the service asks for your consent anew."


class GrantRefused(Exception):
    """For callbacks: the service refused the refresh token itself (``invalid_grant``, RFC 6749 section 5.2)."""
