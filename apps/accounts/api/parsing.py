"""Reading JSON bodies strictly: what later parts can't handle is refused here, in words."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from apps.accounts.api.problems import FieldError, Problem, invalid

MAX_DEPTH = 32
"""Objects and arrays inside one another; far below what recursion could take, far above what anyone needs."""


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: UTF-8, no NaN, no lone surrogates, at most MAX_DEPTH deep, no NUL in strings."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Raises Problem (400, 413)."""
        body = _limited(parser_context["request"]._request)
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise Problem(400, "malformed_json", f"{error.msg.capitalize()} ({where}).") from None
        if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(content) > MAX_DEPTH:
            raise Problem(400, "malformed_json", f"At most {MAX_DEPTH} levels of objects and arrays are read.")
        if b"\\u0000" in body and (path := _nul(content)) is not None:
            raise invalid([FieldError(path, "null_characters_not_allowed", "NUL characters can't be stored.")])
        return content


def _limited(request: HttpRequest) -> bytes:
    """The body. Read by Django, which looks at the announced length; what came unannounced is measured."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    with suppress(RequestDataTooBig):
        if most is None or len(request.body) <= most:
            return request.body
    raise Problem(413, "too_large", f"A JSON body may have {most:,} bytes at most.")


def _depth(content: Any) -> int:
    level, depth = [content], 0
    while level := [inner for outer in level for inner in _inside(outer)]:
        depth += 1
    return depth


def _inside(outer: Any) -> list[Any]:
    # Scalars stand for nothing; the outermost value's own level counts when its inside is looked at.
    if isinstance(outer, dict):
        return list(outer.values()) or [None]
    return (outer or [None]) if isinstance(outer, list) else []


def _nul(content: Any, path: str = "") -> str | None:
    """The path of the first string (or name) with a NUL, or None."""
    if isinstance(content, str):
        return path if "\0" in content else None
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, value in inner:
        below = f"{path}.{name}" if path else str(name)
        if isinstance(name, str) and "\0" in name:
            return path
        if (found := _nul(value, below)) is not None:
            return found
    return None
