"""Changes to rows: ``$set``, ``$unset``, ``$inc``, ``$push`` and ``$pull``; a plain object sets its fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from apps.integrations.zerodb.server.errors import Problem, ValidationFailed
from apps.integrations.zerodb.server.fields import Fields

Update = Mapping[str, Mapping[str, Any]]
"""Operator → field → operand."""
Row = dict[str, Any]


def read_update(body: Fields) -> Update:
    """The changes of a request. Notes VALIDATION_ERROR."""
    update = body.mapping("update", "updates", "row_data", required=True)
    name, _ = body.raw("update", "updates", "row_data")
    if not update:
        if update is not None:
            body.fail(name, "The update cannot be empty", "too_short")
        return {}
    if not any(key.startswith("$") for key in update):
        return {"$set": update}
    for operator, operands in update.items():
        if operator not in _OPERATORS:
            body.fail(name, f"Unsupported operator: {operator}. Supported operators: {', '.join(_OPERATORS)}", "enum")
        elif not isinstance(operands, dict):
            body.fail(name, f"Operator '{operator}' requires an object of fields", "dict_type")
        elif operator == "$inc" and not all(_is_number(operand) for operand in operands.values()):
            body.fail(name, "Operator '$inc' requires numeric values", "float_type")
    return update


def updated(row: Mapping[str, Any], update: Update) -> Row:
    """The row with all changes made. Raises ValidationFailed where a change does not suit the value that is there."""
    changed = dict(row)
    for operator, operands in update.items():
        for name, operand in operands.items():
            _OPERATORS[operator](changed, name, operand)
    return changed


def _set(row: Row, name: str, operand: Any) -> None:
    row[name] = operand


def _unset(row: Row, name: str, operand: Any) -> None:
    row.pop(name, None)


def _increase(row: Row, name: str, operand: Any) -> None:
    value = row.get(name)
    if value is not None and not _is_number(value):
        raise _unsuited(name, "a number")
    row[name] = _sum(name, value or 0, operand)


def _sum(name: str, value: float, operand: float) -> float:
    """Finite: JSON has no infinity, and whole numbers here have no end."""
    try:
        total = value + operand
        if math.isfinite(total):
            return total
    except OverflowError:
        pass
    raise _unsuited(name, "small enough to be added to")


def _push(row: Row, name: str, operand: Any) -> None:
    row[name] = [*_list_in(row, name), operand]


def _pull(row: Row, name: str, operand: Any) -> None:
    if row.get(name) is not None:
        row[name] = [item for item in _list_in(row, name) if item != operand]


def _list_in(row: Row, name: str) -> list[Any]:
    value = row.get(name)
    if value is not None and not isinstance(value, list):
        raise _unsuited(name, "an array")
    return value or []


def _unsuited(name: str, wanted: str) -> ValidationFailed:
    return ValidationFailed([Problem(("body", "update", name), f"Field '{name}' is not {wanted}", "type_error")])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OPERATORS: dict[str, Callable[[Row, str, Any], None]] = {
    "$set": _set,
    "$unset": _unset,
    "$inc": _increase,
    "$push": _push,
    "$pull": _pull,
}
