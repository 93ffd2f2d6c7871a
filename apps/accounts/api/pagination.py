"""Pages of lists: ``{"results": […], "next": cursor|null, "previous": cursor|null}``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from rest_framework import serializers

from apps.accounts.api.problems import FieldError, Problem
from apps.accounts.api.serializers import Parameters
from apps.accounts.api.views import answer
from apps.accounts.keyset import Page, Position, newest_first

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PageParameters(Parameters):
    """Which page of a list."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="How many results at most."
    )
    cursor = serializers.CharField(
        required=False, max_length=1000, help_text="`next` or `previous` of another page of the same list."
    )


class Cursors:
    """Writes positions of one list as text and reads them back. What is inside is nobody else's business."""

    def __init__(self, name: str, *types: type[Any]) -> None:
        self.name = name
        self._types = types

    def write(self, position: Position | None) -> str | None:
        """The cursor of a position; None for no position."""
        if position is None:
            return None
        values = [_WRITERS.get(kind, _as_is)(value) for kind, value in zip(self._types, position.key, strict=True)]
        content = orjson.dumps([self.name, int(position.backwards), *values])
        return base64.urlsafe_b64encode(self.pack(content)).rstrip(b"=").decode()

    def read(self, text: str | None) -> Position | None:
        """Raises Problem (400) for a cursor that this list did not write."""
        if not text:
            return None
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            name, backwards, *values = orjson.loads(self.unpack(packed))
            if name != self.name or backwards not in {0, 1}:
                raise ValueError
            key = tuple(_READERS[kind](value) for kind, value in zip(self._types, values, strict=True))
        except (ValueError, TypeError, OverflowError, AttributeError, binascii.Error):
            error = FieldError("cursor", "invalid_cursor", "Take the cursor from `next` or `previous` of this list.")
            raise Problem(400, "invalid_cursor", error.detail, errors=[error]) from None
        return Position(key, bool(backwards))

    def pack(self, content: bytes) -> bytes:
        """For lists whose positions are secret: encrypt."""
        return content

    def unpack(self, packed: bytes) -> bytes:
        """Undo ``pack``. Raises ValueError."""
        return packed


def answer_page(page: Page[Any], cursors: Cursors, show: Callable[[Any], Any] | None = None) -> HttpResponse:
    """The answer of a list; ``show`` turns a row into what is written."""
    rows = page.rows if show is None else [show(row) for row in page.rows]
    return answer({"results": rows, "next": cursors.write(page.next), "previous": cursors.write(page.previous)})


def answer_list(
    queryset: Any,
    wanted: dict[str, Any],
    cursors: Cursors,
    show: Callable[[Any], Any],
    columns: tuple[str, ...] = ("id",),
) -> HttpResponse:
    """A page of ``queryset``, newest first, as PageParameters want it. Ids are made in the order of time."""
    position = cursors.read(wanted.get("cursor"))
    page = newest_first(queryset, columns, position, wanted["limit"], attrgetters(columns))
    return answer_page(page, cursors, show)


def attrgetters(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that takes these attributes of an object as a tuple, also when there is one."""
    return lambda row: tuple(getattr(row, name) for name in names)


def _as_is(value: Any) -> Any:
    return value


def _microseconds(value: datetime) -> int:
    return (value - _EPOCH) // timedelta(microseconds=1)


def _time(value: Any) -> datetime:
    if not isinstance(value, int):
        raise TypeError
    return _EPOCH + timedelta(microseconds=value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError
    return value


_WRITERS: dict[type[Any], Callable[[Any], Any]] = {datetime: _microseconds, UUID: str}
_READERS: dict[type[Any], Callable[[Any], Any]] = {datetime: _time, UUID: UUID, int: _whole, str: str, bool: bool}
