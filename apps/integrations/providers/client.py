"""What all clients of providers share: one host, one credential, errors told by what to do about them.

A provider's ``Client`` says how to authenticate, how to test, and how to do its category's jobs (the protocols in
``apps/integrations/services``). Most of the mapping of errors is the same everywhere and lives here; ``read_error``
and ``kind_of`` are for what a service does its own way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypedDict, Unpack
from urllib.parse import quote, quote_plus, urlsplit
from uuid import UUID

import orjson
from django.conf import settings as django_settings

from apps.integrations.outbound.addresses import AllowList
from apps.integrations.outbound.backoff import read_retry_after
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.http import Answer, HttpClient, Parts
from apps.integrations.providers.definition import Provider
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    NotSignedIn,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Redirected,
    Refused,
    Unavailable,
)
from apps.integrations.providers.oauth import Access, AccessSource

MAXIMUM_SECONDS = 30.0
MAXIMUM_ANSWER = 8 * 1024 * 1024
SHOWN = 300
"""Characters of a service's own words that are shown."""

_KINDS: dict[int, type[ProviderError]] = {
    401: CredentialRefused,
    402: QuotaUsedUp,
    403: NotPermitted,
    404: Missing,
    429: RateLimited,
}


class Bounds(TypedDict, total=False):
    """What one call may take, where that is less than usual."""

    maximum_seconds: float
    maximum_answer: int


@dataclass(frozen=True)
class Tested:
    """What a test found. ``identity``: whose credential it is, as the service puts it; "" when it does not say."""

    identity: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


class ProviderClient:
    """Calls of one connection. Close it, or use it as a context manager. Its credential is never in its repr.

    ``source`` gives access tokens, to providers that declare ``oauth``. Raises OutboundError when it has none.
    ``account_id`` is whose connection it is, ``allowed`` what the operator opened for that account.
    """

    maximum_answer = MAXIMUM_ANSWER
    """Bytes of one answer."""
    address_setting: ClassVar[str] = ""
    """The setting in which an account writes the address of a server of its own; "" where it can't."""

    def __init__(
        self,
        provider: Provider,
        credentials: Mapping[str, str],
        settings: Mapping[str, Any],
        *,
        attempts: int = 2,
        source: AccessSource | None = None,
        allowed: AllowList = AllowList(),  # noqa: B008 - frozen
        account_id: UUID | None = None,
    ) -> None:
        self.provider = provider
        self.credentials = credentials
        self.settings = {**provider.defaults, **settings}
        self._attempts = attempts
        self._source = source
        self._allowed = allowed
        self._account_id = account_id
        self._access: Access | None = None
        self._told = False
        self.http = self._open()

    def _open(self) -> HttpClient:
        headers = self.authentication()  # first: a grant may say where the service lives
        return self._http(self.base_url(), headers)

    def _http(self, url: str, headers: Mapping[str, str], **bounds: Unpack[Bounds]) -> HttpClient:
        return HttpClient(
            url.rstrip("/") + "/",
            headers={"User-Agent": "Strongroom", "Accept": "application/json", **headers},
            judge=self.judge,
            allowed=self._allowed,
            written_by=self.writer_of(url),
            attempts=self._attempts,
            longest_wait=5.0,
            maximum_answer=bounds.get("maximum_answer", self.maximum_answer),
            maximum_seconds=bounds.get("maximum_seconds", MAXIMUM_SECONDS),
        )

    def writer_of(self, url: str) -> UUID | None:
        """The account, when ``url`` is the address it wrote; None for the service's own and the operator's."""
        written = str(self.settings.get(self.address_setting) or "")
        usual = self.provider.defaults.get(self.address_setting)
        return self._account_id if written and written != usual and url.startswith(written.rstrip("/")) else None

    def __repr__(self) -> str:
        return f"<client of {self.provider.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.http.close()

    def base_url(self) -> str:
        """Where this connection's calls go: the operator's word first (``PROVIDER_URLS``), then the service's own."""
        urls: dict[str, str] = django_settings.PROVIDER_URLS
        return urls.get(self.provider.name) or self.own_url()

    def own_url(self) -> str:
        """Where the service lives for this connection; services with a host per customer or region say which."""
        return self.provider.base_url

    def elsewhere(self, url: str, headers: Mapping[str, str], **bounds: Unpack[Bounds]) -> HttpClient:
        """A client of another host of the service, without this connection's credential. Close it.

        ``url`` holds scheme and host; where the operator put the service elsewhere, that host is asked instead.
        """
        urls: dict[str, str] = django_settings.PROVIDER_URLS
        moved = urls.get(self.provider.name)
        parts = urlsplit(moved or url)
        return self._http(f"{parts.scheme}://{parts.netloc}", headers, **bounds)

    def authentication(self) -> dict[str, str]:
        """The headers that carry the credential; those of a grant, unless a provider has its own."""
        if self.provider.oauth is None:
            raise NotImplementedError
        return {"Authorization": f"Bearer {self.access_token()}"}

    def access_token(self) -> str:
        """A token of the connection's grant that lasts for a while. Raises OutboundError (NotSignedIn and others).

        What the service said with it (``OAuth.facts``) is in ``self.settings`` from then on.
        """
        if self._access is None:
            if self._source is None:
                raise NotSignedIn.about(self.provider.label)
            self._take(self._source.access())
        assert self._access is not None
        return self._access.token

    def _take(self, access: Access) -> None:
        self._access = access
        self.settings = {**self.settings, **access.facts}

    def test(self) -> Tested:
        """A real call that costs nothing and changes nothing. Raises OutboundError."""
        raise NotImplementedError

    def read_error(self, body: Any) -> tuple[str, str]:
        """The error's code and words in the service's own shape; ("", "") when it has none."""
        if not isinstance(body, dict):
            return "", ""
        error = body.get("error", body)
        if isinstance(error, str):
            return error, str(body.get("error_description") or body.get("message") or error)
        if not isinstance(error, dict):
            return "", ""
        code = error.get("code") or error.get("type") or error.get("status") or ""
        words = error.get("message") or error.get("detail") or error.get("title") or error.get("description") or ""
        return str(code), str(words)

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        """What an error is, by its status and the service's code."""
        if status in _KINDS:
            return _KINDS[status]
        if 300 <= status < 400:
            return Redirected
        return Unavailable if status >= 500 else Refused

    def refuses(self, answer: Answer) -> bool:
        """Whether the answer is a refusal: not 2xx. Some services say it in the body of a 200."""
        return not 200 <= answer.status < 300

    def wait_of(self, answer: Answer) -> float | None:
        """Seconds that the service asks to wait, None when it does not say.

        Where there is no ``Retry-After``, many say the moment of the next allowed calls (seconds since 1970).
        """
        told = read_retry_after(answer.headers.get("retry-after"))
        if told is None:
            reset = answer.headers.get("x-ratelimit-reset") or answer.headers.get("x-rate-limit-reset") or ""
            if re.fullmatch("[0-9]{10}", reset):
                return max(0.0, int(reset) - time.time())
        return told

    def judge(self, answer: Answer) -> ProviderError | None:
        """What an answer refuses, or None for one that does not."""
        if not self.refuses(answer):
            return None
        code, words = self.error_in(answer)
        said = self.without_secrets(" ".join(words.split()))[:SHOWN]
        kind, cause = self.kind_of(answer.status, code), f"answered {answer.status}"
        if not said:
            return kind.about(self.provider.label, cause, retry_after=self.wait_of(answer))
        return kind(f"{self.provider.label}: {said}", cause=cause, retry_after=self.wait_of(answer))

    def error_in(self, answer: Answer) -> tuple[str, str]:
        """Code and words of a refusal, ("", "") when they can't be read; overridden where a service speaks no JSON."""
        try:
            return self.read_error(orjson.loads(answer.content))
        except (orjson.JSONDecodeError, AttributeError):
            return "", ""

    def without_secrets(self, text: str) -> str:
        """``text`` with every secret of the credential cut out: services quote what they were sent."""
        for entry in self.provider.credentials:
            value = self.credentials.get(entry.name, "")
            if entry.secret and len(value) >= 4:
                for form in (value, quote(value, safe=""), quote_plus(value)):  # as it is, and as it is in an address
                    text = text.replace(form, "••••")
        return text.replace(self._access.token, "••••") if self._access is not None else text

    def call(self, method: str, path: str, *, repeatable: bool, **parts: Unpack[Parts]) -> Answer:
        """The answer as it came, with a grant renewed once when its token is refused. Raises OutboundError.

        Services end tokens before their time: sessions of a day, a password changed.
        """
        try:
            answer = self.http.call(method, path, repeatable=repeatable, **parts)
        except CredentialRefused:
            if not self._renewed():
                raise
            answer = self.http.call(method, path, repeatable=repeatable, **parts)
        if self._source is not None and self._access is not None and not self._told:
            self._source.worked(self._access.token)
            self._told = True
        return answer

    def _renewed(self) -> bool:
        """Whether there is another token than the one refused."""
        if self._source is None or self._access is None:
            return False
        access = self._source.access(refused=self._access.token)
        if access.token == self._access.token:
            return False
        self._take(access)
        self._told = False
        self.http.close()
        self.http = self._open()
        return True

    def ask(self, method: str, path: str, *, repeatable: bool | None = None, **parts: Unpack[Parts]) -> Any:
        """The parsed body of the answer, None for an empty one. Raises OutboundError.

        By HTTP's own rules GET, PUT and DELETE may be repeated, POST and PATCH may not (RFC 9110 section 9.2.2).
        """
        if repeatable is None:
            repeatable = method in {"GET", "PUT", "DELETE"}
        answer = self.call(method, path, repeatable=repeatable, **parts)
        if not answer.content.strip():
            return None
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            raise BadAnswer.about(self.provider.label, "the answer is not JSON") from None

    def ask_for(self, method: str, path: str, *, holds: str = "", **options: Any) -> dict[str, Any]:
        """Like ``ask``, for answers that must be an object, with a member named ``holds``. Raises OutboundError."""
        body = self.ask(method, path, **options)
        if not isinstance(body, dict):
            raise BadAnswer.about(self.provider.label, "the answer is not an object")
        if holds and holds not in body:
            raise BadAnswer.about(self.provider.label, f"the answer is another than {self.provider.label} gives")
        return body
