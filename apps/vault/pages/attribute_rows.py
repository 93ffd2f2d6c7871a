"""Custom attributes as rows of a form: names and values that people edit as text.

An attribute whose text was not touched keeps its value with its type. A number stays a number while it reads as
one; what has parts is edited as JSON; everything new is text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict

from apps.vault.templatetags.contacts import as_text, is_nested

NAME, VALUE, MORE, REMOVE = "attribute_name", "attribute_value", "more", "remove"


@dataclass
class AttributeRow:
    """One row. ``is_json``: the value has parts and must stay JSON."""

    name: str = ""
    text: str = ""
    is_json: bool = False

    @property
    def is_long(self) -> bool:
        return self.is_json or "\n" in self.text or len(self.text) > 80

    @property
    def lines(self) -> int:
        return min(12, max(2, self.text.count("\n") + 1))

    @property
    def is_blank(self) -> bool:
        return not self.name and not self.text.strip()


@dataclass
class AttributeRows:
    """The rows of one form. ``before`` is what is stored; ``error`` what is wrong with the rows, in words."""

    rows: list[AttributeRow]
    before: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> AttributeRows:
        """A row for each attribute by name, and an empty one."""
        shown = [AttributeRow(name, as_text(value), is_nested(value)) for name, value in sorted(attributes.items())]
        return cls([*shown, AttributeRow()], attributes)

    @classmethod
    def posted(cls, data: QueryDict, before: Mapping[str, Any]) -> AttributeRows:
        """The rows as they were sent."""
        pairs = zip(data.getlist(NAME), data.getlist(VALUE), strict=False)
        rows = [AttributeRow(name.strip(), text.replace("\r\n", "\n")) for name, text in pairs]
        for row in rows:
            row.is_json = is_nested(before.get(row.name))
        return cls(rows or [AttributeRow()], before)

    @staticmethod
    def only_rows_wanted(data: QueryDict) -> bool:
        """Whether a button for a row more or less was pressed, and not the one that saves."""
        return MORE in data or REMOVE in data

    def change(self, data: QueryDict) -> None:
        """Add or take away the row that such a button asks for."""
        unwanted = str(data.get(REMOVE, ""))
        if MORE in data:
            self.rows.append(AttributeRow())
        elif unwanted.isdecimal() and int(unwanted) < len(self.rows):
            del self.rows[int(unwanted)]
        if not self.rows:
            self.rows.append(AttributeRow())

    def values(self) -> dict[str, Any]:
        """The attributes. Rows without name and value are no attributes. Raises ValidationError."""
        values: dict[str, Any] = {}
        for row in self.rows:
            if row.is_blank:
                continue
            if not row.name:
                raise ValidationError(f"Name the attribute whose value is “{row.text[:40]}”, or empty its value.")
            if row.name in values:
                raise ValidationError(f"Two attributes are called “{row.name}”. Rename one of them.")
            values[row.name] = self._value(row)
        return values

    def _value(self, row: AttributeRow) -> Any:
        before = self.before.get(row.name, "")
        if row.text == as_text(before):
            return before
        if isinstance(before, str):
            return row.text
        try:
            value = json.loads(row.text)
        except ValueError:
            if is_nested(before):
                words = f'“{row.name}” has parts, so its value must be JSON, as in {{"a": 1}} or ["a", "b"].'
                raise ValidationError(words) from None
            return row.text
        return value if is_nested(before) or not isinstance(value, str) else row.text
