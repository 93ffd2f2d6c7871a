"""Calls to Cloudinary: signed uploads of private files."""

from __future__ import annotations

import base64
import re
import time
from typing import Literal
from urllib.parse import urlencode

from apps.integrations.contracts.storage import StoredFile
from apps.integrations.outbound.backoff import read_retry_after
from apps.integrations.outbound.errors import BadAnswer, BadRequest
from apps.integrations.outbound.http import Answer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.cloudinary.signing import signature
from apps.integrations.providers.errors import ProviderError, RateLimited, Refused
from apps.integrations.providers.escaping import key_path, segment

_IMAGES = {"jpg", "jpeg", "png", "gif", "webp", "avif", "bmp", "tif", "tiff"}
_LONGEST = 255
_FORBIDDEN = set("?&#\\%<>+")
"""What no public ID may hold (Upload API reference, ``public_id``)."""


class Client(ProviderClient):
    """One product environment.

    Files are of the type ``private``: nobody reads them by a plain address. A key is its file's public ID as it is,
    so that ``a.jpg`` and ``a.png`` are two.
    """

    maximum_answer = 32 * 1024 * 1024

    def authentication(self) -> dict[str, str]:
        return {}  # calls are signed; only the Admin API takes key and secret themselves

    def test(self) -> Tested:
        """The Admin API's ``ping``: free. Raises OutboundError."""
        pair = f"{self.credentials['api_key']}:{self.credentials['api_secret']}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        if self.ask_for("GET", f"{self._cloud}/ping", headers=headers).get("status") != "ok":
            raise BadAnswer.about("Cloudinary", "the answer is not the one to a ping")
        return Tested(identity=str(self.settings["cloud_name"]))

    def put(self, key: str, content: bytes, *, content_type: str) -> StoredFile:
        """Write the file; what was there is replaced, and forgotten by caches. Raises OutboundError."""
        if not re.fullmatch(r"[\x20-\x7e]{1,200}", content_type):
            raise BadRequest("A content type that can't be sent.")
        form = self._signed(public_id=_public_id(key), type="private", overwrite="true", invalidate="true")
        files = {"file": ("file", content, content_type)}
        told = self.ask_for("POST", self._path(key, "upload"), data=form, files=files, repeatable=True)
        size = told.get("bytes")
        return StoredFile(
            key=key,
            size=size if isinstance(size, int) else len(content),
            content_type=content_type,
            etag=str(told.get("etag") or ""),
        )

    def get(self, key: str) -> StoredFile:
        """Read the file as it was written. Raises OutboundError; Missing when there is none."""
        answer = self.call("GET", f"{self._path(key, 'download')}?{self._download(key, 300)}", repeatable=True)
        return StoredFile(
            key=key,
            size=len(answer.content),
            content_type=answer.headers.get("content-type", ""),
            etag=answer.headers.get("etag", "").strip('"'),
            content=answer.content,
        )

    def presign(self, key: str, *, seconds: int, method: Literal["GET", "PUT"] = "GET") -> str:
        """An address that reads the file for ``seconds``. Raises Refused for PUT: Cloudinary takes forms only."""
        if method != "GET":
            raise Refused("Cloudinary has no addresses that a file can be put to.")
        if seconds < 1:
            raise BadRequest("An address works for a second at least.")
        return f"{self.base_url().rstrip('/')}/{self._path(key, 'download')}?{self._download(key, seconds)}"

    def delete(self, key: str) -> None:
        """Remove the file; one that is not there is no error. Raises OutboundError."""
        form = self._signed(public_id=_public_id(key), type="private", invalidate="true")
        result = self.ask_for("POST", self._path(key, "destroy"), data=form, repeatable=True).get("result")
        if result not in {"ok", "not found"}:
            raise Refused(f"Cloudinary: the file was not removed ({str(result)[:50]}).")

    @property
    def _cloud(self) -> str:
        return segment(str(self.settings["cloud_name"]))

    def _path(self, key: str, action: str) -> str:
        return f"{self._cloud}/{'image' if self._is_image(key) else 'raw'}/{action}"

    def _is_image(self, key: str) -> bool:
        return bool(self.settings["images"]) and _ending(key) in _IMAGES

    def _download(self, key: str, seconds: int) -> str:
        params = {"public_id": _public_id(key), "type": "private", "expires_at": str(int(time.time()) + seconds)}
        if self._is_image(key):
            params["format"] = _ending(key)
        return urlencode(self._signed(**params))

    def _signed(self, **params: str) -> dict[str, str]:
        params["timestamp"] = str(int(time.time()))
        digest = signature(params, self.credentials["api_secret"], str(self.settings["signature_algorithm"]))
        return {**params, "api_key": self.credentials["api_key"], "signature": digest}

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return RateLimited if status == 420 else super().kind_of(status, code)

    def wait_of(self, answer: Answer) -> float | None:
        """Until the hour of the Admin API begins anew, as its own header says."""
        told = super().wait_of(answer)
        return told if told is not None else read_retry_after(answer.headers.get("x-featureratelimit-reset"))


def _public_id(key: str) -> str:
    key_path(key)
    if len(key) > _LONGEST or set(key) & _FORBIDDEN or key != key.strip():
        raise BadRequest("A key that Cloudinary does not take: at most 255 characters, none of ? & # \\ % < > +.")
    return key


def _ending(key: str) -> str:
    """What stands behind the last dot of the name, "" without one."""
    name, dot, ending = key.rpartition("/")[2].rpartition(".")
    return ending.lower() if name and dot else ""
