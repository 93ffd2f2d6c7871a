"""Typed reading of request fields.

``Fields`` reads one JSON object (or the query string) field by field and collects what is wrong, so that an
answer names every failing field at once. Each reader takes the field's name and the other names clients use
for it; the first one present wins. A null is an absent field. Unknown fields are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.utils.dateparse import parse_datetime

from apps.integrations.zerodb.server.errors import Problem, ValidationFailed

T = TypeVar("T")


_LARGEST = 2**63 - 1  # what the database counts to


class Fields:
    """Reads fields of one object; ``finish()`` raises when any was wrong."""

    def __init__(self, data: Mapping[str, Any], location: Sequence[str | int] = ("body",)) -> None:
        self._data = data
        self._location = tuple(location)
        self.problems: list[Problem] = []

    def finish(self) -> None:
        """Raises ValidationFailed with all problems found so far."""
        if self.problems:
            raise ValidationFailed(self.problems)

    def has(self, *names: str) -> bool:
        return any(self._data.get(name) is not None for name in names)

    def raw(self, *names: str) -> tuple[str, Any]:
        """The name found and its value, or the first name and None."""
        for name in names:
            if self._data.get(name) is not None:
                return name, self._data[name]
        return names[0], None

    def fail(self, name: str, message: str, kind: str = "value_error", *, code: str = "VALIDATION_ERROR") -> None:
        self.problems.append(Problem((*self._location, name), message, kind, code))

    def _typed(
        self, names: tuple[str, ...], required: bool, read: Callable[[Any], T], expected: str, kind: str
    ) -> tuple[str, T | None]:
        name, value = self.raw(*names)
        if value is None:
            if required:
                self.fail(name, "Field required", "missing")
            return name, None
        try:
            return name, read(value)
        except (TypeError, ValueError, OverflowError):
            self.fail(name, f"Input should be {expected}", kind)
            return name, None

    def text(
        self,
        *names: str,
        required: bool = False,
        blank: bool = True,
        trim: bool = False,
        maximum: int | None = None,
    ) -> str | None:
        """A string. ``blank=False`` refuses '' and white space alone; ``maximum`` counts characters."""
        name, value = self._typed(names, required, _text, "a valid string", "string_type")
        if value is None:
            return None
        if not blank and not value.strip():
            self.fail(name, f"{name} cannot be empty or whitespace", "string_too_short")
        elif maximum is not None and len(value) > maximum:
            self.fail(name, f"String should have at most {maximum} characters", "string_too_long")
        return value.strip() if trim else value

    def boolean(self, *names: str, default: bool) -> bool:
        _, value = self._typed(names, False, _boolean, "a valid boolean", "bool_parsing")
        return default if value is None else value

    def integer(self, *names: str, default: int, minimum: int, maximum: int = _LARGEST) -> int:
        name, value = self._typed(names, False, _integer, "a valid integer", "int_parsing")
        if value is None:
            return default
        self._bounds(name, value, minimum, maximum)
        return value

    def number(self, *names: str, default: float, minimum: float, maximum: float | None = None) -> float:
        name, value = self._typed(names, False, _number, "a valid number", "float_parsing")
        if value is None:
            return default
        self._bounds(name, value, minimum, maximum)
        return value

    def _bounds(self, name: str, value: float, minimum: float, maximum: float | None) -> None:
        if value < minimum:
            self.fail(name, f"Input should be greater than or equal to {minimum}", "greater_than_equal")
        elif maximum is not None and value > maximum:
            self.fail(name, f"Input should be less than or equal to {maximum}", "less_than_equal")

    def mapping(self, *names: str, required: bool = False) -> dict[str, Any] | None:
        return self._typed(names, required, _mapping, "a valid dictionary", "dict_type")[1]

    def items(
        self, *names: str, required: bool = False, minimum: int = 0, maximum: int | None = None
    ) -> list[Any] | None:
        """A list of anything, with its length checked."""
        name, value = self._typed(names, required, _list, "a valid list", "list_type")
        if value is None:
            return None
        if len(value) < minimum:
            self.fail(name, f"{name} cannot be empty", "too_short")
        elif maximum is not None and len(value) > maximum:
            self.fail(name, f"List should have at most {maximum} items, not {len(value)}", "too_long")
        return value

    def texts(
        self, *names: str, required: bool = False, minimum: int = 0, maximum: int | None = None, blank: bool = True
    ) -> list[str] | None:
        """A list of strings; ``blank=False`` refuses blank ones, naming the first."""
        values = self.items(*names, required=required, minimum=minimum, maximum=maximum)
        if values is None:
            return None
        name, _ = self.raw(*names)
        for position, value in enumerate(values):
            if not isinstance(value, str):
                self.fail(name, f"Item {position} should be a valid string", "string_type")
                return None
            if not blank and not value.strip():
                self.fail(name, f"Item {position} cannot be empty or whitespace", "string_too_short")
                return None
        return values

    def choice(
        self, *names: str, options: Sequence[str], required: bool = False, code: str = "VALIDATION_ERROR"
    ) -> str | None:
        """One of ``options``, compared without case and blanks around; answered as written in ``options``."""
        name, value = self._typed(names, required, _text, "a valid string", "string_type")
        if value is None:
            return None
        for option in options:
            if value.strip().casefold() == option.casefold():
                return option
        self.fail(name, f"'{value}' is not valid. Input should be one of: {', '.join(options)}", "enum", code=code)
        return None

    def moment(self, *names: str, code: str = "VALIDATION_ERROR") -> datetime | None:
        """An ISO 8601 date and time; without a zone it is UTC, as clients that send ``datetime.utcnow()`` mean it."""
        name, value = self.raw(*names)
        if value is None:
            return None
        try:
            moment = parse_datetime(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            self.fail(
                name,
                "Input should be a date and time (ISO8601, RFC 3339), such as 2026-01-31T12:00:00Z",
                "datetime_parsing",
                code=code,
            )
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "1", "yes"):
        return True
    if isinstance(value, str) and value.strip().lower() in ("false", "0", "no"):
        return False
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value
