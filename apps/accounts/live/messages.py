"""What pages may send over a socket: JSON objects with a ``type``, held to their fields as bodies of the API are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework import serializers

from apps.accounts.api.problems import FieldError, Problem, invalid, to_problem
from apps.accounts.api.serializers import Input

MOST_BYTES = 2048
"""Of a message from a page; what is longer ends the connection."""


class Ping(Input):
    """A sign of life."""


class Resume(Input):
    """``after`` is the number of the last announcement the page knows."""

    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


def read(text: str, kinds: Mapping[str, type[Input]]) -> tuple[str, dict[str, Any]]:
    """The type of a message and its other values. Raises Problem."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Problem(400, "malformed_json", "Send one JSON object as text.") from None
    if not isinstance(content, dict):
        raise invalid([FieldError("", "invalid", "Send a JSON object with named fields.")])
    kind = content.pop("type", None)
    if kind is None:
        raise invalid([FieldError("type", "required", "Say which type of message it is.")])
    if not isinstance(kind, str) or kind not in kinds:
        raise Problem(400, "unknown_type", f"The type is one of {', '.join(sorted(kinds))}.")
    values = kinds[kind](data=content)
    try:
        values.is_valid(raise_exception=True)
    except serializers.ValidationError as error:
        raise to_problem(error) or error from None
    return kind, dict(values.validated_data)


def refusal(problem: Problem) -> dict[str, Any]:
    """The message that tells the page what was wrong with its own."""
    errors = [{"field": error.field, "code": error.code, "detail": error.detail} for error in problem.errors]
    return {"type": "error", "code": problem.code, "detail": problem.detail, "errors": errors}
