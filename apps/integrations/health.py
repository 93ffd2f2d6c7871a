"""How a connection stands: what tests and calls found, how its grant is renewed, and the one thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.integrations.models import Integration, ReceivedEvent
from apps.integrations.oauth.access import kind_of
from apps.integrations.providers import UnknownProvider
from apps.integrations.webhooks.address import delivery_address
from apps.vault.models import Token
from apps.vault.tokens.keeping import grant_of


@dataclass(frozen=True)
class Health:
    """``identity``: whose consent or credential it is. ``has_grant``: whether a grant (OAuth) is kept for it;
    ``by_consent``: whether by a person's consent, which can be taken back, and not of an application itself.

    ``next_refresh_at`` is None for what is not renewed by itself; ``expires_at`` None: until it is revoked.
    ``error`` in plain words and ``todo`` are empty when nothing is wrong. ``delivery_address``: where the service sends
    its events; "" for one that sends none. ``last_event``: the newest that was verified and kept.
    """

    status: str
    identity: str
    last_tested_at: datetime | None
    last_used_at: datetime | None
    has_grant: bool
    by_consent: bool
    scopes: tuple[str, ...]
    granted_at: datetime | None
    last_refreshed_at: datetime | None
    next_refresh_at: datetime | None
    expires_at: datetime | None
    error: str
    error_at: datetime | None
    todo: str
    delivery_address: str
    last_event: ReceivedEvent | None


def health_of(row: Integration) -> Health:
    """How ``row`` stands, from what is stored: nothing is called."""
    token = _token_of(row)
    grant = grant_of(token) if token is not None else None
    due = grant.due_at if grant is not None and grant.refresh_token else None
    return Health(
        status=row.status,
        identity=row.identity,
        last_tested_at=row.last_tested_at,
        last_used_at=row.last_used_at,
        has_grant=grant is not None,
        by_consent=grant is not None and _is_by_consent(row),
        scopes=grant.scopes if grant is not None else (),
        granted_at=grant.granted_at if grant is not None else None,
        last_refreshed_at=token.refreshed_at if token is not None else None,
        next_refresh_at=(token.next_attempt_at or due) if token is not None else None,
        expires_at=grant.expires_at if grant is not None else None,
        error=row.last_error_message,
        error_at=row.last_error_at,
        todo=row.last_error_todo if row.enabled else "Enable it, if it should be used again.",
        delivery_address=delivery_address(row.id) if _sends(row) else "",
        last_event=row.events.defer("payload").order_by("-created_at").first(),
    )


def _sends(row: Integration) -> bool:
    try:
        return row.definition.webhooks
    except UnknownProvider:
        return False


def _is_by_consent(row: Integration) -> bool:
    oauth = row.definition.oauth
    return oauth is not None and oauth.is_by_consent(row.credentials, row.settings)


def _token_of(row: Integration) -> Token | None:
    try:
        by_grant = row.definition.oauth is not None
    except UnknownProvider:
        return None
    return Token.objects.filter(kind=kind_of(row)).first() if by_grant else None
