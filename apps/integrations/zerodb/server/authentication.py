"""Finding out who asks: an API key in ``X-API-Key`` or ``Authorization: Bearer``, or a bearer token."""

from __future__ import annotations

import re

from django.http import HttpRequest

from apps.integrations.zerodb.server import tokens
from apps.integrations.zerodb.server.errors import ApiError, invalid_api_key, invalid_token
from apps.integrations.zerodb.server.identity import Identity
from apps.integrations.zerodb.server.store import keys

MISSING = "Authentication required. Provide X-API-Key or Authorization Bearer token."
_KEY_MINIMUM = 10
_KEY_CHARACTERS = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_EXPIRED_PREFIX = "expired_"


def authenticate(request: HttpRequest) -> Identity:
    """The caller of a request. Raises ApiError 401.

    A valid API key wins over a token; a token beside a key that is not valid still counts.
    """
    key, authorization = request.headers.get("X-API-Key"), request.headers.get("Authorization")
    if not key:
        return _by_authorization(authorization) if authorization else _refuse_missing()
    try:
        return by_key(key)
    except ApiError:
        if authorization is None or not _is_token(_bearer(authorization)):
            raise
        return _by_authorization(authorization)


def by_key(plain: str) -> Identity:
    """The caller of an API key. Raises ApiError 401 that says what is wrong with the key, never the key."""
    if not plain:
        return _refuse_missing()
    if not plain.strip():
        raise invalid_api_key("API key cannot be empty or whitespace")
    if len(plain) < _KEY_MINIMUM:
        raise invalid_api_key("API key format is invalid")
    if not _KEY_CHARACTERS.fullmatch(plain):
        raise invalid_api_key("API key contains invalid characters")
    if plain.startswith(_EXPIRED_PREFIX):
        raise invalid_api_key("API key has expired")
    try:
        known = keys.recognise(plain)
    except keys.KeyExpired:
        raise invalid_api_key("API key has expired") from None
    if known is None:
        raise invalid_api_key("Invalid API key")
    return Identity(known.caller_id, known.id, known.project_id)


def by_token(request: HttpRequest) -> Identity:
    """The caller of a bearer token, where a key does not do. Raises ApiError 401."""
    authorization = request.headers.get("Authorization")
    if not authorization:
        return _refuse_missing()
    return tokens.verify(_bearer(authorization), "access")


def _by_authorization(authorization: str) -> Identity:
    credential = _bearer(authorization)
    return tokens.verify(credential, "access") if _is_token(credential) else by_key(credential)


def _bearer(authorization: str) -> str:
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise invalid_token("Authorization header must be: Bearer <token>")
    return credential.strip()


def _is_token(credential: str) -> bool:
    return credential.count(".") == 2


def _refuse_missing() -> Identity:
    raise invalid_api_key(MISSING)
