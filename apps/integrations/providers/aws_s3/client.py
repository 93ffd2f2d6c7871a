"""Calls to S3, signed with version 4."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from apps.integrations.contracts.storage import StoredFile
from apps.integrations.outbound.errors import BadAnswer, BadRequest
from apps.integrations.outbound.http import Answer
from apps.integrations.providers.aws_s3.sigv4 import Signer, canonical_query
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
    Unavailable,
)
from apps.integrations.providers.escaping import key_path

_KINDS: dict[str, type[ProviderError]] = {
    "InvalidAccessKeyId": CredentialRefused,  # all of these with status 403 or 400
    "SignatureDoesNotMatch": CredentialRefused,
    "ExpiredToken": CredentialRefused,
    "InvalidToken": CredentialRefused,
    "TokenRefreshRequired": CredentialRefused,
    "AccessDenied": NotPermitted,
    "AccountProblem": NotPermitted,
    "AllAccessDisabled": NotPermitted,
    "RequestTimeTooSkewed": Refused,
    "NoSuchKey": Missing,
    "NoSuchBucket": Missing,
    "SlowDown": RateLimited,
    "QuotaExceeded": QuotaUsedUp,
    "InternalError": Unavailable,
    "RequestTimeout": Unavailable,
}
_LONGEST_PRESIGNED = 7 * 24 * 3600


class Client(ProviderClient):
    """One bucket. Files go through memory: up to 32 MiB are read."""

    maximum_answer = 32 * 1024 * 1024
    address_setting = "endpoint"

    def authentication(self) -> dict[str, str]:
        return {}  # every request has a signature of its own

    def own_url(self) -> str:
        endpoint, bucket, region = (str(self.settings[name]) for name in ("endpoint", "bucket", "region"))
        if endpoint:
            return endpoint
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        # A wildcard certificate covers one label: a bucket with dots goes into the path.
        return f"https://s3.{region}.{domain}" if "." in bucket else f"https://{bucket}.s3.{region}.{domain}"

    @property
    def _root(self) -> str:
        """The bucket's path: "" where the host names it."""
        host = self._host
        return "" if host.startswith(f"{self.settings['bucket']}.s3.") else f"/{self.settings['bucket']}"

    @property
    def _host(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        parts = urlsplit(self.base_url())
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        name = parts.hostname or ""
        name = f"[{name}]" if ":" in name else name
        return name if parts.port in {None, usual} else f"{name}:{parts.port}"

    @property
    def _signer(self) -> Signer:
        known = self.credentials
        return Signer(
            known["access_key_id"],
            known["secret_access_key"],
            str(self.settings["region"]),
            known.get("session_token", ""),
        )

    def test(self) -> Tested:
        """List none of the bucket's files: whether the bucket is there, and the key may see it.

        S3 has no call that is free and proves this; Amazon's price of a list request is 0.000005 USD.
        """
        answer = self._ask("GET", self._root or "/", query={"list-type": "2", "max-keys": "0"})
        if b"<ListBucketResult" not in answer.content:
            raise BadAnswer.about("Amazon S3", "the answer is not a list of files")
        bucket, region = self.settings["bucket"], self.settings["region"]
        return Tested(identity=f"{bucket} ({region})", facts={"bucket": bucket, "region": region})

    def put(self, key: str, content: bytes, *, content_type: str) -> StoredFile:
        """Write the file; what was there is replaced. Raises OutboundError."""
        if not re.fullmatch(r"[\x20-\x7e]{1,200}", content_type):
            raise BadRequest("A content type that can't be sent.")
        headers = {"content-type": content_type}
        answer = self._ask("PUT", self._path(key), content=content, headers=headers)
        return StoredFile(key=key, size=len(content), content_type=content_type, etag=_etag(answer))

    def get(self, key: str) -> StoredFile:
        """Read the file. Raises OutboundError; Missing, which S3 tells only to keys that may list the bucket."""
        answer = self._ask("GET", self._path(key))
        return StoredFile(
            key=key,
            size=len(answer.content),
            content_type=answer.headers.get("content-type", ""),
            etag=_etag(answer),
            content=answer.content,
        )

    def presign(self, key: str, *, seconds: int, method: Literal["GET", "PUT"] = "GET") -> str:
        """An address for the file that works for ``seconds`` (a week at most). Raises BadRequest."""
        if not 1 <= seconds <= _LONGEST_PRESIGNED:
            raise BadRequest(f"An address works for 1 to {_LONGEST_PRESIGNED} seconds.")
        path, scheme = self._path(key), urlsplit(self.base_url()).scheme
        query = self._signer.presigned_query(method, host=self._host, path=path, seconds=seconds, at=datetime.now(UTC))
        return f"{scheme}://{self._host}{path}?{query}"

    def delete(self, key: str) -> None:
        """Remove the file; S3 does not say whether there was one. Raises OutboundError."""
        self._ask("DELETE", self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._root}/{key_path(key)}"

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        content: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        signed = self._signer.headers(
            method, host=self._host, path=path, query=query, content=content, headers=headers, at=datetime.now(UTC)
        )
        where = f"{path}?{canonical_query(query)}" if query else path
        # Accept-Encoding: what is stored is wanted as it is stored.
        extra = {**signed, "accept": "*/*", "accept-encoding": "identity"}
        return self.call(method, where, repeatable=True, content=content, headers=extra)

    def error_in(self, answer: Answer) -> tuple[str, str]:
        """``<Error><Code/><Message/></Error>``, read by pattern: XML of a stranger is not parsed."""
        text = answer.content[:65536].decode(errors="replace")
        code, words = _element(text, "Code"), _element(text, "Message")
        region = answer.headers.get("x-amz-bucket-region") or _element(text, "Region")
        if region and region != self.settings["region"]:
            words = f"{words} The bucket is in the region {region}."
        return code, words

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code) or super().kind_of(status, code)


def _element(text: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]).strip() if found else ""


def _etag(answer: Answer) -> str:
    return answer.headers.get("etag", "").strip('"')
