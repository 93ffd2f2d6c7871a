"""Schemas of tables: which types a field may have, and whether a row fits.

A schema is flexible: fields that it does not name are kept as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from apps.integrations.zerodb.server.errors import ApiError, invalid_schema


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and (parse_datetime(value) or parse_date(value)) is not None
    except ValueError:
        return False


# The types of the vendor's papers and of its server, which differ: all of both.
TYPES: dict[str, Callable[[Any], bool]] = {
    "string": _is_text,
    "text": _is_text,
    "integer": _is_integer,
    "float": _is_number,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "timestamp": _is_moment,
    "json": lambda value: isinstance(value, dict | list),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


@dataclass(frozen=True)
class Fault:
    """Why a row does not fit: ``actual`` is the type that came, or 'missing'."""

    row: int
    field: str
    expected: str
    actual: str

    @property
    def message(self) -> str:
        if self.actual == "missing":
            return f"Required field '{self.field}' is missing"
        return f"Field '{self.field}' expected type '{self.expected}' but got '{self.actual}'"

    def as_json(self) -> dict[str, Any]:
        """The entry of ``validation_errors``, with the names of both of the vendor's shapes."""
        return {
            "loc": ["body", "row_data", self.row, self.field],
            "msg": self.message,
            "type": "missing" if self.actual == "missing" else "type_error",
            "field": self.field,
            "expected_type": self.expected,
            "actual_type": self.actual,
            "message": self.message,
            "row_index": self.row,
        }


class SchemaMismatch(ApiError):
    """422: rows that do not fit the schema of their table, with one entry per fault."""

    def __init__(self, faults: list[Fault]) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        detail = f"Row {faults[0].row}: {faults[0].message}{more}"
        super().__init__(422, "SCHEMA_VALIDATION_ERROR", detail)
        self.faults = faults

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {"validation_errors": [fault.as_json() for fault in self.faults]}


def checked_definition(fields: Mapping[str, Any], indexes: list[Any]) -> dict[str, Any]:
    """The schema as it is kept. A field is a type's name or ``{type, required, default}``; an index is a field's name
    or ``{name, columns, unique}``. Raises ApiError 400 INVALID_SCHEMA.
    """
    return {
        "fields": {name: _checked_field(name, wanted) for name, wanted in fields.items()},
        "indexes": [_checked_index(index, fields) for index in indexes],
    }


def _checked_field(name: str, wanted: Any) -> Any:
    given = wanted if isinstance(wanted, dict) else {"type": wanted}
    kind, required, default = given.get("type"), given.get("required") or False, given.get("default")
    if not name.strip():
        raise invalid_schema("A field's name cannot be empty or whitespace.")
    if not isinstance(kind, str) or kind.strip().lower() not in TYPES:
        raise invalid_schema(f"Invalid field type '{kind}' of field '{name}'. Supported types: {', '.join(TYPES)}")
    kind = kind.strip().lower()
    if not isinstance(required, bool):
        raise invalid_schema(f"'required' of field '{name}' must be true or false.")
    if default is not None and not TYPES[kind](default):
        raise invalid_schema(f"The default of field '{name}' is not of type '{kind}'.")
    return {"type": kind, "required": required, "default": default} if isinstance(wanted, dict) else kind


def _checked_index(index: Any, fields: Mapping[str, Any]) -> Any:
    columns = index_columns(index)
    if not columns or not all(isinstance(column, str) for column in columns):
        raise invalid_schema("An index is a field's name, or an object with 'columns'.")
    for column in columns:
        if column not in fields:
            raise invalid_schema(
                f"Index field '{column}' does not exist in schema fields. Available fields: {', '.join(fields)}"
            )
    if isinstance(index, dict) and not isinstance(index.get("unique", False), bool):
        raise invalid_schema("'unique' of an index must be true or false.")
    return index


def index_columns(index: Any) -> list[Any]:
    """The fields of an index in either form; [] for what is none."""
    if isinstance(index, str):
        return [index]
    columns = index.get("columns", index.get("fields")) if isinstance(index, dict) else None
    return columns if isinstance(columns, list) else []


def unique_indexes(definition: Mapping[str, Any]) -> list[list[str]]:
    """The fields of each index that allows every combination of values once."""
    indexes = definition.get("indexes", [])
    return [index_columns(index) for index in indexes if isinstance(index, dict) and index.get("unique")]


def fitted(rows: list[dict[str, Any]], definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows with defaults filled in. Raises SchemaMismatch."""
    fields = {name: f if isinstance(f, dict) else {"type": f} for name, f in definition.get("fields", {}).items()}
    filled = [_with_defaults(row, fields) for row in rows]
    faults = [fault for position, row in enumerate(filled) for fault in _faults(position, row, fields)]
    if faults:
        raise SchemaMismatch(faults)
    return filled


def _with_defaults(row: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {name: field["default"] for name, field in fields.items() if field.get("default") is not None}
    return {**{name: value for name, value in defaults.items() if name not in row}, **row}


def _faults(position: int, row: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Fault]:
    faults = []
    for name, field in fields.items():
        value = row.get(name)
        if value is None:
            if field.get("required"):
                faults.append(Fault(position, name, field["type"], "missing"))
        elif not TYPES[field["type"]](value):
            faults.append(Fault(position, name, field["type"], _type_name(value)))
    return faults


def _type_name(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "object"}
    return names[type(value)]
