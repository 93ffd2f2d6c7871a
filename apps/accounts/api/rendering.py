"""Writing JSON: orjson, which knows UUIDs and times itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

MEDIA_TYPE = "application/json"


def to_json(content: Any) -> bytes:
    """UTF-8 JSON. Times are RFC 3339 in UTC ("…Z"), ids are UUIDs, decimals are strings."""
    return orjson.dumps(content, default=_other, option=orjson.OPT_UTC_Z)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


class JSONRenderer(BaseRenderer):
    """REST framework's port to ``to_json``."""

    media_type = MEDIA_TYPE
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else to_json(data)
