"""The state of a consent under way (RFC 6749 section 10.12): whose it is, for which connection, until when.

It lives in the cache for an hour: ten minutes in which it counts, the rest to tell what became of it. It is worth
something only together with the session it was made in. The verifier of PKCE (RFC 7636) is not stored at all: it is
made anew from the state and a key that only we have.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.core.cache import cache
from django.utils.crypto import salted_hmac

VALID_SECONDS = 600
KEPT_SECONDS = 3600


class NotOurs(Exception):
    """The state is none of ours, or nobody's any more."""


class AnotherSession(Exception):
    """The state belongs to another session or person. ``attempt`` is what it is of."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__("Begun in another session.")
        self.attempt = attempt


class TooLate(AnotherSession):
    """The state's time is over."""


class UsedBefore(AnotherSession):
    """The state was used."""


@dataclass(frozen=True)
class Attempt:
    """A consent that somebody went for."""

    account_id: str
    integration_id: str
    user_id: str
    session: str
    ends: float
    state: str = ""

    @property
    def account(self) -> UUID:
        """Which account it is for."""
        return UUID(self.account_id)

    @property
    def integration(self) -> UUID:
        """Which connection it is for."""
        return UUID(self.integration_id)

    @property
    def verifier(self) -> str:
        """The code verifier: 43 characters nobody can guess without our key."""
        key = salted_hmac("apps.integrations.oauth.verifier", self.state, algorithm="sha256").digest()
        return urlsafe_b64encode(key).rstrip(b"=").decode()

    @property
    def challenge(self) -> str:
        """The code challenge, S256."""
        challenge: str = create_s256_code_challenge(self.verifier)
        return challenge


def begin(*, account_id: UUID, integration_id: UUID, user_id: UUID, session_key: str) -> Attempt:
    """A new attempt, good for ten minutes in this session of this person."""
    attempt = Attempt(
        account_id=str(account_id),
        integration_id=str(integration_id),
        user_id=str(user_id),
        session=_digest(session_key),
        ends=time.time() + VALID_SECONDS,
        state=secrets.token_urlsafe(32),
    )
    kept = {name: value for name, value in asdict(attempt).items() if name != "state"}
    cache.set(_name(attempt.state), kept, KEPT_SECONDS)
    return attempt


def take(state: str, *, user_id: UUID, session_key: str) -> Attempt:
    """The attempt of ``state``, this once. Raises NotOurs, AnotherSession, TooLate, UsedBefore.

    Who tries it from elsewhere does not use it up.
    """
    kept: Mapping[str, str] | None = cache.get(_name(state)) if state else None
    if kept is None:
        raise NotOurs("There is no such state.")
    attempt = Attempt(**kept, state=state)  # type: ignore[arg-type]
    same_session = secrets.compare_digest(attempt.session, _digest(session_key))
    if attempt.user_id != str(user_id) or not same_session:
        raise AnotherSession(attempt)
    if not cache.add(f"{_name(state)}:used", 1, KEPT_SECONDS):
        raise UsedBefore(attempt)
    if time.time() > attempt.ends:
        raise TooLate(attempt)
    return attempt


def _name(state: str) -> str:
    return f"oauth-attempt:{_digest(state)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
