"""``/auth/…``: an API key becomes a token, a refresh token becomes a new one, and who am I."""

from __future__ import annotations

from typing import Any

from apps.integrations.zerodb.server import authentication, tokens
from apps.integrations.zerodb.server.call import Call


def login(call: Call) -> dict[str, Any]:
    """``POST /auth/login {api_key}``."""
    api_key = call.body.text("api_key", required=True)
    if api_key == "":
        call.body.fail("api_key", "String should have at least 1 character", "string_too_short")
    call.body.finish()  # a blank key is refused as a key is
    identity = authentication.by_key(api_key or "")
    return {
        "access_token": tokens.issue(identity, "access", tokens.ACCESS),
        "refresh_token": tokens.issue(identity, "refresh", tokens.REFRESH),
        "token_type": "bearer",
        "expires_in": int(tokens.ACCESS.total_seconds()),
        "user_id": str(identity.caller_id),
    }


def refresh(call: Call) -> dict[str, Any]:
    """``POST /auth/refresh {refresh_token}``."""
    token = call.body.text("refresh_token", required=True, blank=False)
    call.body.finish()
    identity = tokens.verify(token or "", "refresh")
    return {
        "access_token": tokens.issue(identity, "access", tokens.ACCESS),
        "token_type": "bearer",
        "expires_in": int(tokens.ACCESS.total_seconds()),
    }


def who_am_i(call: Call) -> dict[str, Any]:
    """``GET /auth/me`` with a bearer token."""
    identity = authentication.by_token(call.request)
    return {
        "user_id": str(identity.caller_id),
        "issued_at": identity.issued_at,
        "expires_at": identity.expires_at,
        "token_type": "access",
    }
