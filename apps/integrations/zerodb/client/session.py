"""One key's calls to one ZeroDB server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

import httpx2
import orjson

from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.http import TIMEOUT, HttpClient
from apps.integrations.zerodb.client import resting
from apps.integrations.zerodb.client.errors import TooManyRequests, judge


class Session:
    """Calls with one API key. The key is in the connection's headers and nowhere else: not in repr, logs or errors."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        transport: httpx2.BaseTransport | None = None,
        timeout: httpx2.Timeout = TIMEOUT,
        **options: Any,
    ) -> None:
        self._base_url = base_url
        self._caller = (base_url, hashlib.sha256(api_key.encode()).digest())
        self._http = HttpClient(
            base_url.rstrip("/") + "/",
            headers={"X-API-Key": api_key, "Accept": "application/json", "User-Agent": "Strongroom"},
            judge=judge,
            operators_address=True,  # ZERODB_API_URL
            transport=transport,
            timeout=timeout,
            **options,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool | None = None,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The parsed body of the answer. Raises OutboundError; see ``HttpClient.call`` for ``repeatable``.

        By HTTP's own rules GET, PUT and DELETE may be repeated, POST and PATCH may not (RFC 9110 section 9.2.2).
        """
        if repeatable is None:
            repeatable = method in {"GET", "PUT", "DELETE"}
        resting.require_none(self._caller)
        try:
            answer = self._http.call(method, path, repeatable=repeatable, json=json, params=params)
        except TooManyRequests as refusal:
            resting.begin(self._caller, refusal)
            raise
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            raise BadAnswer.about("The AI service", f"{method} {path.split('/')[0]}: not JSON") from None

    def ask_for(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Like ``ask``, for answers that must be an object. Raises OutboundError."""
        body = self.ask(method, path, **options)
        if not isinstance(body, dict):
            raise BadAnswer.about("The AI service", f"{method} {path.split('/')[0]}: not an object")
        return body


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")
