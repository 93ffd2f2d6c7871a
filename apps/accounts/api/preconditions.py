"""ETags of single objects (RFC 9110 section 13): 304 for readers, 412 for writers who missed a change.

An object of which a part moves by itself (how much of a limit is used) has an ETag of two parts: ``"what is set.all"``.
Writers are asked for the first alone, so that use between reading and writing is no conflict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request

from apps.accounts.api.problems import Problem
from apps.accounts.api.rendering import MEDIA_TYPE, to_json


def etag_of(body: bytes, stable: bytes | None = None) -> str:
    """A strong validator: equal bodies, and only they, have the same. ``stable``: the part that writers set."""
    return f'"{_digest(body)}"' if stable is None else f'"{_digest(stable)}.{_digest(body)}"'


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def answer_object(
    request: Request, content: Any, *, stable: Any = None, status: int = 200, location: str = ""
) -> HttpResponse:
    """The answer of one object with its ETag, or 304 when the reader has it already.

    ``stable``: what of it changes by writing alone, where that is not all.
    """
    body = to_json(content)
    etag = etag_of(body, None if stable is None else to_json(stable))
    return _answer(request, body, etag, status, location)


def answer_body(request: Request, body: bytes, *, status: int = 200, location: str = "") -> HttpResponse:
    """The same, of an object that is JSON already."""
    return _answer(request, body, etag_of(body), status, location)


def _answer(request: Request, body: bytes, etag: str, status: int, location: str) -> HttpResponse:
    headers = {"ETag": etag}
    if location:
        headers["Location"] = location
    if request.method in {"GET", "HEAD"} and _names(request, "If-None-Match", etag, weakly=True):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type=MEDIA_TYPE, status=status, headers=headers)


def check_unchanged(request: Request, show: Callable[[], Any]) -> None:
    """Raises Problem (412) when ``If-Match`` names another state than what ``show`` shows of the locked object.

    ``show`` gives the stable part where there is one; what follows a point in the ETag is not looked at.
    """
    if "If-Match" in request.headers and not _names(request, "If-Match", etag_of(to_json(show())), weakly=False):
        raise Problem(412, "precondition_failed", "Read the object again and repeat the change on what it is now.")


def _names(request: Request, header: str, etag: str, *, weakly: bool) -> bool:
    given = parse_etags(request.headers.get(header, ""))
    if weakly:
        given = [tag.removeprefix("W/") for tag in given]
    else:
        given = [f'{tag.partition(".")[0].rstrip(_QUOTE)}"' if tag.startswith(_QUOTE) else tag for tag in given]
    return etag in given or given == ["*"]


_QUOTE = '"'
