"""How a service gives grants (OAuth 2.0, RFC 6749): what a definition declares of it, and what its client gets.

A definition's ``oauth=OAuth(…)`` is all a provider has to write. Connecting, refreshing and giving back is done in
``apps/integrations/oauth``; a client asks ``self.access_token()``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

ClientAuthentication = Literal["client_secret_basic", "client_secret_post"]
APPLICATION = "client_credentials"
GRANT_SETTING = "grant"
"""The setting by which a connection chooses between a person's consent and the application's own grant."""


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """How a grant is given back. Without ``how`` as RFC 7009 says: the token in a form; ``bearer``: in the header."""

    url: str
    how: Literal["form", "bearer"] = "form"
    which: Literal["refresh", "access"] = "refresh"


@dataclass(frozen=True, kw_only=True)
class OAuth:
    """One service's side of OAuth.

    Addresses may hold ``{server}``, which ``server`` fills from the connection's settings and from what the service
    added to its redirect (data centres, own domains). It must name the service's own servers only: they get the
    client's secret.
    """

    app: str
    """Whose application: providers of one company share it (``OAUTH_GOOGLE_CLIENT_ID`` for ``google``)."""
    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    """The least that the provider's jobs need."""
    revocation: Revocation | None = None
    revocation_help: str = ""
    """Where people take a grant back themselves, at services that offer programs no way."""
    scope_separator: str = " "
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    client_authentication: ClientAuthentication = "client_secret_post"
    pkce: bool = True
    """Whether the code is bound to a verifier (RFC 7636); False where a service takes none of a confidential client."""
    application_scopes: tuple[str, ...] | None = None
    """Scopes of the client-credentials grant (RFC 6749 section 4.4); None where the service offers none."""
    stands_in: tuple[str, ...] = ()
    """Credential fields that do without any grant: a private app's key, a bot's token."""
    refusals: frozenset[str] = frozenset({"invalid_grant"})
    """Error codes that mean: this grant or code is taken no more."""
    lasts: int | None = None
    """Seconds that an access token is taken to last when the answer does not say; None: until it is refused."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Members of the token answer that take a setting's place: ``{"instance_url": "instance_url"}``."""
    server: Callable[[Mapping[str, Any], Mapping[str, str]], str] | None = None
    identity: Callable[[Mapping[str, Any]], str] | None = None
    """Whose grant it is, from the token answer; without it the ID token is read, then the connection test."""
    unwrap: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """The token answer as RFC 6749 has it, from a service that has its own."""
    app_help: str = ""
    """Where an account makes an application of its own."""

    def faults(self) -> Iterator[str]:
        """What is wrong with the declaration, one sentence each."""
        addresses = [self.authorize_url, self.token_url, *([self.revocation.url] if self.revocation else [])]
        for address in addresses:
            if "{server}" in address and self.server is None:
                yield f"Its OAuth address {address} needs a server."
            elif "{server}" not in address and urlsplit(address).scheme != "https":
                yield f"Its OAuth address {address} must begin with https://."
        if self.revocation is None and not self.revocation_help:
            yield "Its OAuth must say how a grant is given back."

    def needs_consent(self, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> bool:
        """Whether somebody must sign in at the service before calls can be made with these values."""
        return self.is_by_consent(credentials, settings) and not credentials.get("refresh_token")

    def is_by_consent(self, credentials: Mapping[str, str], settings: Mapping[str, Any]) -> bool:
        """Whether calls are made with what a person consented to: here, or elsewhere, and typed the refresh token."""
        if any(credentials.get(name) for name in self.stands_in):
            return False
        return bool(credentials.get("refresh_token")) or not self.is_application(settings)

    def is_application(self, settings: Mapping[str, Any]) -> bool:
        """Whether the application acts by itself, without a person's consent."""
        return self.application_scopes is not None and settings.get(GRANT_SETTING) == APPLICATION


@dataclass(frozen=True)
class Access:
    """An access token that is taken now, and what the service said with it (``OAuth.facts``)."""

    token: str = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)


class AccessSource(Protocol):
    """Where a client gets its access tokens."""

    def access(self, *, refused: str = "") -> Access:
        """A token that lasts for a while, other than ``refused``. Raises OutboundError."""

    def worked(self, token: str) -> None:
        """The service took ``token``."""


@dataclass(frozen=True)
class OneToken:
    """A token that somebody has at hand, and no way to a new one."""

    token: str = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)

    def access(self, *, refused: str = "") -> Access:
        """The token, whatever becomes of it."""
        return Access(self.token, self.facts)

    def worked(self, token: str) -> None:
        """Nothing to keep."""
