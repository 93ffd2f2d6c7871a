"""The token vault: grants of outside services, encrypted, refreshed early, once, and without ever losing one."""

from apps.vault.tokens.grant import Grant, GrantRefused, NotNow, NoToken, ReauthRequired, TokenError
from apps.vault.tokens.keeping import adopt, declare_service, drop, lost_grants, mark_loss_told, retrieve, revoke, store
from apps.vault.tokens.refreshing import access_token, fresh, try_refresh, worked

__all__ = [
    "Grant",
    "GrantRefused",
    "NoToken",
    "NotNow",
    "ReauthRequired",
    "TokenError",
    "access_token",
    "adopt",
    "declare_service",
    "drop",
    "fresh",
    "lost_grants",
    "mark_loss_told",
    "retrieve",
    "revoke",
    "store",
    "try_refresh",
    "worked",
]
