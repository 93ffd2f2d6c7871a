"""A service's token endpoint (RFC 6749 sections 4.1.3, 4.4, 5, 6), and where grants are given back (RFC 7009)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from authlib.oauth2.auth import encode_client_secret_basic, encode_client_secret_post
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7009 import prepare_revoke_token_request
from django.conf import settings as django_settings
from django.utils import timezone

from apps.integrations.oauth.applications import Application
from apps.integrations.outbound.backoff import read_retry_after
from apps.integrations.outbound.errors import BadAnswer, OutboundError
from apps.integrations.outbound.http import Answer, HttpClient
from apps.integrations.providers import Provider
from apps.integrations.providers.errors import CredentialRefused, ProviderError, RateLimited, Redirected, Unavailable
from apps.integrations.providers.oauth import OAuth
from apps.vault.tokens import Grant, GrantRefused

MAXIMUM_SECONDS = 20.0
"""Less than the vault's ``IN_FLIGHT``: a request that is older will not be acted upon."""
MAXIMUM_ANSWER = 256 * 1024
_SHOWN = 300
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", "User-Agent": "Strongroom"}


class ApplicationRefused(CredentialRefused):
    """The service does not take the application: its ID or secret is wrong, or it may not ask for this."""

    code = "application_refused"
    words = "{who} does not accept the application."
    todo = "Correct client ID and secret, and the application's redirect address, at the service."


class Endpoint:
    """One service's OAuth side for one connection, by ``settings`` and what the service added to its redirect."""

    def __init__(
        self,
        provider: Provider,
        application: Application,
        settings: Mapping[str, Any],
        redirect: Mapping[str, str] | None = None,
    ) -> None:
        assert provider.oauth is not None
        self.provider = provider
        self.oauth: OAuth = provider.oauth
        self.application = application
        self._server = self.oauth.server(settings, redirect or {}) if self.oauth.server else ""

    def address(self, template: str) -> str:
        """An address of the definition as it is for this connection; the operator's word (``OAUTH_ORIGINS``) first."""
        address = template.replace("{server}", self._server)
        origins: Mapping[str, str] = django_settings.OAUTH_ORIGINS
        origin = origins.get(self.oauth.app)
        return origin.rstrip("/") + address[len(_origin(address)) :] if origin else address

    def by_code(self, code: str, *, verifier: str, redirect_uri: str) -> tuple[Grant, Mapping[str, Any]]:
        """The grant for an authorization code, and the answer it came in. Raises GrantRefused, OutboundError."""
        bound = {"code_verifier": verifier} if self.oauth.pkce else {}
        answer = self._ask("authorization_code", code=code, redirect_uri=redirect_uri, **bound)
        return self._grant(answer), answer

    def by_refresh_token(self, grant: Grant) -> Grant:
        """A new grant for the refresh token of ``grant``. Raises GrantRefused, OutboundError."""
        if not grant.refresh_token:
            raise GrantRefused(f"{self.provider.label} takes the token no more, and gave none to renew it with.")
        return self._grant(self._ask("refresh_token", refresh_token=grant.refresh_token))

    def by_application(self) -> Grant:
        """A grant for the application itself. Raises GrantRefused, OutboundError."""
        scopes = self.oauth.application_scopes or ()
        return self._grant(self._ask("client_credentials", scope=self.oauth.scope_separator.join(scopes)))

    def give_back(self, grant: Grant) -> None:
        """Tell the service that the grant is wanted no more. Raises OutboundError."""
        way = self.oauth.revocation
        if way is None:
            return
        token = grant.access_token if way.which == "access" else grant.refresh_token or grant.access_token
        if not token:
            return
        headers, body, address = dict(_FORM), "", self.address(way.url)
        if way.how == "form":
            body, headers = prepare_revoke_token_request(token, None, "", headers)
            # RFC 7009 section 2.1 wants it of clients with a secret; services that do not ask for it leave it unread.
            address, headers, body = self._authenticated(address, headers, body)
        else:
            headers["Authorization"] = f"Bearer {token}"
        answer = self._send("POST", address, headers, body)
        code, words = self._error(_parsed(answer), (token, self.application.client_secret))
        # RFC 7009 section 2.2: a token that is not known any more is no error.
        if answer.status in {404} or code in self.oauth.refusals | {"token_revoked", "invalid_token"}:
            return
        if answer.status >= 400 or code:
            raise self._said(ProviderError, words, answer)

    def _ask(self, grant_type: str, **fields: str) -> Mapping[str, Any]:
        body = prepare_token_request(grant_type, "", **fields)
        address, headers, body = self._authenticated(self.address(self.oauth.token_url), dict(_FORM), body)
        answer = self._send("POST", address, headers, body)
        said = _parsed(answer)
        code, words = self._error(said, (*fields.values(), self.application.client_secret))
        if code or answer.status >= 400:
            if code in self.oauth.refusals:
                raise GrantRefused(f"{self.provider.label}: {words or code}")
            raise self._said(
                ApplicationRefused if answer.status in {400, 401, 403} or code else ProviderError, words, answer
            )
        if not isinstance(said, dict):
            raise BadAnswer.about(self.provider.label, "the answer is not an object")
        return self.oauth.unwrap(said) if self.oauth.unwrap else said

    def _said(self, kind: type[ProviderError], words: str, answer: Answer) -> ProviderError:
        label, cause = self.provider.label, f"answered {answer.status}"
        return kind(f"{label}: {words}", cause=cause) if words else kind.about(label, cause)

    def _authenticated(self, address: str, headers: dict[str, str], body: str) -> tuple[str, dict[str, str], str]:
        basic = self.oauth.client_authentication == "client_secret_basic"
        encode = encode_client_secret_basic if basic else encode_client_secret_post
        result: tuple[str, dict[str, str], str] = encode(self.application, "POST", address, headers, body)
        return result

    def _send(self, method: str, address: str, headers: Mapping[str, str], body: str) -> Answer:
        origin = _origin(address)
        with HttpClient(
            origin,
            headers=headers,
            judge=self._judge,
            # Never sent twice: services that rotate refresh tokens take a second use for theft.
            attempts=1,
            maximum_answer=MAXIMUM_ANSWER,
            maximum_seconds=MAXIMUM_SECONDS,
        ) as http:
            return http.call(method, address[len(origin) :] or "/", repeatable=False, content=body.encode())

    def _judge(self, answer: Answer) -> OutboundError | None:
        label = self.provider.label
        if answer.status == 429:
            wait = read_retry_after(answer.headers.get("retry-after"))
            return RateLimited.about(label, "answered 429", retry_after=wait)
        if answer.status >= 500:
            return Unavailable.about(label, f"answered {answer.status}")
        if 300 <= answer.status < 400:
            return Redirected.about(label, f"answered {answer.status}")
        return None

    def _error(self, said: Any, secrets: tuple[str, ...]) -> tuple[str, str]:
        """The code and the words of an error, without what we sent; services quote it."""
        if not isinstance(said, dict):
            return "", ""
        code = said.get("error") or (said.get("status") if "access_token" not in said else "") or ""
        if not isinstance(code, str) or code in {"success", "ok"}:
            return "", ""
        words = " ".join(str(said.get("error_description") or said.get("message") or code).split())
        for secret in secrets:
            if len(secret) >= 4:
                words = words.replace(secret, "••••")
        return code, words[:_SHOWN]

    def _grant(self, said: Mapping[str, Any]) -> Grant:
        token, refresh = said.get("access_token"), said.get("refresh_token") or ""
        if not isinstance(token, str) or not token or not isinstance(refresh, str):
            raise BadAnswer.about(self.provider.label, "the answer holds no access token")
        now = timezone.now()
        seconds = _seconds(said.get("expires_in_sec", said.get("expires_in"))) or self.oauth.lasts
        return Grant(
            token,
            refresh,
            granted_at=now,
            expires_at=now + timedelta(seconds=seconds) if seconds else None,
            scopes=tuple(word for word in re.split(r"[\s,]+", str(said.get("scope") or "")) if word),
            facts={
                name: said[member]
                for member, name in self.oauth.facts.items()
                if isinstance(said.get(member), str) and said[member]
            },
        )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _parsed(answer: Answer) -> Any:
    """The JSON of an answer; None for anything else."""
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return None


def _seconds(value: Any) -> int | None:
    """A positive number of seconds, also as text; None for anything else."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return min(number, 10 * 365 * 86400) if number > 0 else None
