"""Signature version 4 for S3 (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).

Pure functions over what is sent. Paths and queries come in escaped, exactly as they go out: S3 signs them so, and
what is escaped twice or never is another request.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
"""Instead of a body's digest, in addresses that somebody else will send a body to."""


@dataclass(frozen=True)
class Signer:
    """The credential and place that requests are signed with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    session_token: str = field(default="", repr=False)
    service: str = "s3"

    def headers(
        self,
        method: str,
        *,
        host: str,
        path: str,
        query: Mapping[str, str] | None = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        at: datetime,
    ) -> dict[str, str]:
        """The headers to send beside ``Host``: ``headers`` (all of them signed), the time, the digest, the signature.

        ``path`` begins with a slash; ``at`` is in UTC.
        """
        digest = hashlib.sha256(content).hexdigest()
        sent = {
            **{name.lower(): " ".join(value.split()) for name, value in (headers or {}).items()},
            "x-amz-content-sha256": digest,
            "x-amz-date": _moment(at),
        }
        if self.session_token:
            sent["x-amz-security-token"] = self.session_token
        signed = {**sent, "host": host}
        signature = self._signature(method, path, canonical_query(query or {}), signed, digest, at)
        credential = f"Credential={self.access_key_id}/{self._scope(at)}"
        sent["authorization"] = f"{ALGORITHM} {credential},SignedHeaders={_names(signed)},Signature={signature}"
        return sent

    def presigned_query(self, method: str, *, host: str, path: str, seconds: int, at: datetime) -> str:
        """The query that makes ``path`` work for ``seconds`` for whoever has it."""
        query = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access_key_id}/{self._scope(at)}",
            "X-Amz-Date": _moment(at),
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
        }
        if self.session_token:
            query["X-Amz-Security-Token"] = self.session_token
        told = canonical_query(query)
        return f"{told}&X-Amz-Signature={self._signature(method, path, told, {'host': host}, UNSIGNED, at)}"

    def _scope(self, at: datetime) -> str:
        return f"{at:%Y%m%d}/{self.region}/{self.service}/aws4_request"

    def _signature(
        self, method: str, path: str, query: str, headers: Mapping[str, str], digest: str, at: datetime
    ) -> str:
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = "\n".join((method, path, query, lines, _names(headers), digest))
        text = "\n".join((ALGORITHM, _moment(at), self._scope(at), hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{self.secret_access_key}".encode()
        for part in (f"{at:%Y%m%d}", self.region, self.service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def canonical_query(query: Mapping[str, str]) -> str:
    """The query, escaped and in order: what is signed is what is sent."""
    return "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in query.items()))


def _names(headers: Mapping[str, str]) -> str:
    return ";".join(sorted(headers))


def _moment(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"
