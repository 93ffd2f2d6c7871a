"""One request to the embedded server, as its views see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import orjson
from django.http import HttpRequest

from apps.integrations.models import ZeroProject
from apps.integrations.zerodb.server import limits
from apps.integrations.zerodb.server.errors import ApiError, Problem, ValidationFailed
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.identity import Identity
from apps.integrations.zerodb.server.scopes import ProjectReference
from apps.integrations.zerodb.server.store import projects

# A batch of 1,000 vectors of 1,536 numbers written out in full is about 32 MB.
MAXIMUM_BODY = 64 * 1024 * 1024
MAXIMUM_DEPTH = 64
"""Objects and arrays inside one another; answers could not be written from some 250 on."""


class Call:
    """A request whose caller is proven (but for open routes). ``body`` and ``query`` are read field by field."""

    def __init__(self, request: HttpRequest, identity: Identity | None) -> None:
        self.request = request
        self._identity = identity
        self.counted: limits.Kind | None = None
        self.allowance: limits.Allowance | None = None

    @property
    def identity(self) -> Identity:
        """Who asks. Open routes have nobody, and must not ask."""
        if self._identity is None:
            raise LookupError("An open route has no caller.")
        return self._identity

    @cached_property
    def json(self) -> Any:
        """The parsed body; {} when it is empty. Raises ValidationFailed for what is not JSON."""
        raw = self.request.read(MAXIMUM_BODY + 1)
        if len(raw) > MAXIMUM_BODY:
            raise ApiError(413, "HTTP_ERROR", f"The body is larger than {MAXIMUM_BODY // 1024 // 1024} MB.")
        if not raw.strip():
            return {}
        try:
            # Strict: refuses NaN, infinity and half surrogates, which the database could not keep either.
            value = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise ValidationFailed([Problem(("body",), "The body is not valid JSON", "json_invalid")]) from None
        if raw.count(b"{") + raw.count(b"[") > MAXIMUM_DEPTH and _is_deeper(value, MAXIMUM_DEPTH):
            words = f"At most {MAXIMUM_DEPTH} levels of objects and arrays are read"
            raise ValidationFailed([Problem(("body",), words, "value_error")])
        if b"\\u0000" in raw and _has_null_character(value):
            raise ValidationFailed([Problem(("body",), "Text must not contain null characters", "value_error")])
        return value

    @cached_property
    def body(self) -> Fields:
        """The fields of the body, which must be an object."""
        if not isinstance(self.json, dict):
            raise ValidationFailed([Problem(("body",), "Input should be a valid dictionary", "dict_type")])
        return Fields(self.json)

    @cached_property
    def query(self) -> Fields:
        """The query parameters; all values are strings, empty ones count as absent."""
        return Fields({name: value for name, value in self.request.GET.items() if value != ""}, ("query",))

    @contextmanager
    def project(
        self, reference: ProjectReference, *, writes: bool = False, created_only: bool = False
    ) -> Iterator[ZeroProject]:
        """Enter the scope of the project a path names; everything inside is one transaction.

        ``created_only`` refuses ids that were never created. Raises ApiError: 404 for a project that is
        not the caller's or is deleted, 403 PROJECT_SUSPENDED for a write to a suspended one.
        """
        wanted = reference.project_id or self.request.headers.get("X-Project-ID")
        with projects.entered(self.identity, wanted, writes=writes, created_only=created_only) as project:
            if self.counted is not None:
                self.allowance = limits.take(project, self.counted)
            yield project


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _has_null_character(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in key or _has_null_character(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_null_character(item) for item in value)
