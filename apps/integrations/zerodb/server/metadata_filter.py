"""Metadata filters: ``{"field": value}`` or ``{"field": {"$op": value}}``, all joined by AND.

A filter is parsed once into conditions and compiled to SQL over a ``jsonb`` column, so that it is applied
before the cut to ``top_k``. A stored field that is absent behaves as null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from apps.integrations.zerodb.server.fields import Fields

_ALIASES = {"$equals": "$eq", "$not_equals": "$ne"}
_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_SUPPORTED = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$contains")
_OF_ROWS = (*_SUPPORTED, "$regex")


@dataclass(frozen=True)
class Condition:
    """``operator`` is one of _OF_ROWS; ``operand`` has the type that operator takes."""

    field: str
    operator: str
    operand: Any


class InvalidMetadataFilter(ValueError):
    """The filter cannot be understood; the message says which part and why."""


def read_metadata_filter(fields: Fields, *names: str, of_rows: bool = False) -> list[Condition]:
    """The filter of a request under any of ``names``; [] when absent. Notes INVALID_METADATA_FILTER."""
    name, value = fields.raw(*names)
    try:
        return parse_metadata_filter(value, of_rows=of_rows)
    except InvalidMetadataFilter as error:
        fields.fail(name, str(error), code="INVALID_METADATA_FILTER")
        return []


def parse_metadata_filter(value: object, *, of_rows: bool = False) -> list[Condition]:
    """Conditions; [] for None. ``of_rows`` also takes what only tables know. Raises InvalidMetadataFilter."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise InvalidMetadataFilter("metadata_filter must be a dictionary")
    conditions: list[Condition] = []
    for field, operand in value.items():
        if field.startswith("$"):
            raise InvalidMetadataFilter(
                f"Top-level operator '{field}' is not supported. "
                "Use operators inside a field, such as {'field': {'$eq': 'value'}}"
            )
        key = field.removeprefix("row_data." if of_rows else "metadata.")
        if isinstance(operand, Mapping):
            supported = _OF_ROWS if of_rows else _SUPPORTED
            conditions.extend(_condition(key, operator, inner, supported) for operator, inner in operand.items())
        else:
            conditions.append(Condition(key, "$eq", operand))
    return conditions


def _condition(field: str, operator: str, operand: Any, supported: Sequence[str]) -> Condition:
    if not operator.startswith("$"):
        raise InvalidMetadataFilter(f"Operator must start with '$', got: {operator}")
    operator = _ALIASES.get(operator, operator)
    if operator not in supported:
        raise InvalidMetadataFilter(f"Unsupported operator: {operator}. Supported operators: {', '.join(supported)}")
    wanted = _wrong_operand(operator, operand)
    if wanted:
        raise InvalidMetadataFilter(f"Operator '{operator}' requires a {wanted} value, got: {type(operand).__name__}")
    if operator == "$regex":
        _check_pattern(operand)
    return Condition(field, operator, operand)


def _check_pattern(pattern: str) -> None:
    """Refuses what neither this language nor the database would take."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise InvalidMetadataFilter(f"Operator '$regex' requires a regular expression: {error}") from None


def _wrong_operand(operator: str, operand: Any) -> str | None:
    """The kind of operand the operator takes, when this is not one."""
    if operator in ("$in", "$nin"):
        return None if isinstance(operand, list) else "list"
    if operator in _COMPARISONS:
        return None if isinstance(operand, (int, float)) and not isinstance(operand, bool) else "numeric"
    if operator == "$exists":
        return None if isinstance(operand, bool) else "boolean"
    if operator in ("$contains", "$regex"):
        return None if isinstance(operand, str) else "string"
    return None


def compile_to_sql(conditions: Sequence[Condition], column: str) -> tuple[str, list[Any]]:
    """SQL text and its parameters; 'TRUE' without conditions. ``column`` is ours, never from a request."""
    if not conditions:
        return "TRUE", []
    parts, params = zip(*(_compile(condition, column) for condition in conditions), strict=True)
    return " AND ".join(parts), [param for group in params for param in group]


def _compile(condition: Condition, column: str) -> tuple[str, list[Any]]:
    field, operator, operand = condition.field, condition.operator, condition.operand
    stored = f"COALESCE({column} -> %s, 'null'::jsonb)"
    if operator == "$eq":
        return f"{stored} = %s::jsonb", [field, _json(operand)]
    if operator == "$ne":
        return f"{stored} <> %s::jsonb", [field, _json(operand)]
    if operator == "$in":
        return f"{stored} = ANY(%s::jsonb[])", [field, [_json(item) for item in operand]]
    if operator == "$nin":
        return f"{stored} <> ALL(%s::jsonb[])", [field, [_json(item) for item in operand]]
    if operator == "$exists":
        return f"({stored} <> 'null'::jsonb) = %s", [field, operand]
    if operator == "$contains":
        return (
            f"CASE jsonb_typeof({column} -> %s) WHEN 'string' THEN position(%s IN {column} ->> %s) > 0 "
            f"WHEN 'array' THEN ({column} -> %s) ? %s ELSE FALSE END",
            [field, operand, field, field, operand],
        )
    if operator == "$regex":
        return f"(jsonb_typeof({column} -> %s) = 'string' AND {column} ->> %s ~ %s)", [field, field, operand]
    # Two numbers compare by value in jsonb, and the type test keeps other types from comparing at all.
    return (
        f"(jsonb_typeof({column} -> %s) = 'number' AND {column} -> %s {_COMPARISONS[operator]} %s::jsonb)",
        [field, field, _json(operand)],
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
