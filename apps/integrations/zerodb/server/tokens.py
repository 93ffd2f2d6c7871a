"""Bearer tokens: JSON Web Tokens signed with HS256 (RFC 7519), one hour, and a week to refresh.

A token names the key it was made from, and every use asks whether that key is still valid.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from django.conf import settings
from django.utils.crypto import salted_hmac

from apps.integrations.zerodb.server.errors import ApiError, invalid_token
from apps.integrations.zerodb.server.identity import Identity
from apps.integrations.zerodb.server.store import keys

ACCESS = timedelta(hours=1)
REFRESH = timedelta(days=7)
_ALGORITHM = "HS256"
_CLAIMS = ["sub", "exp", "iat", "token_type", "key"]


def _signing_key() -> bytes:
    """A key of its own, so that these tokens are good for nothing else in the product."""
    return salted_hmac(
        "apps.integrations.zerodb.tokens", "sign", secret=settings.SECRET_KEY, algorithm="sha256"
    ).digest()


def issue(identity: Identity, token_type: str, lifetime: timedelta) -> str:
    """A signed token for ``identity``; ``token_type`` is 'access' or 'refresh'."""
    now = datetime.now(UTC)
    claims = {
        "sub": str(identity.caller_id),
        "user_id": str(identity.caller_id),
        "iat": now,
        "exp": now + lifetime,
        "token_type": token_type,
        "key": str(identity.key_id),
        "project": str(identity.project_id) if identity.project_id else None,
    }
    return jwt.encode(claims, _signing_key(), _ALGORITHM)


def verify(token: str, token_type: str) -> Identity:
    """Who the token stands for. Raises ApiError 401: INVALID_TOKEN or TOKEN_EXPIRED."""
    try:
        claims = jwt.decode(token, _signing_key(), algorithms=[_ALGORITHM], options={"require": _CLAIMS})
        identity = Identity(
            caller_id=UUID(claims["sub"]),
            key_id=UUID(claims["key"]),
            project_id=UUID(claims["project"]) if claims.get("project") else None,
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except jwt.ExpiredSignatureError:
        raise ApiError(401, "TOKEN_EXPIRED", "JWT token has expired") from None
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
        raise invalid_token("Invalid JWT token") from None
    if claims["token_type"] != token_type:
        raise invalid_token(f"Invalid token type: expected '{token_type}'")
    if not keys.still_valid(identity.key_id, identity.caller_id):
        raise invalid_token("The API key of this token is no longer valid")
    return identity
