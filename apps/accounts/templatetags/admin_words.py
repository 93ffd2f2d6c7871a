"""Values for the admin's templates."""

from __future__ import annotations

from typing import Any

import orjson
from django import template

register = template.Library()


@register.filter
def sa_json(value: Any) -> str:
    """JSON for an attribute; the template escapes it."""
    return orjson.dumps(value).decode()
