"""What callers may ask of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import Problem, ValidationFailed
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.metadata_filter import (
    Condition,
    InvalidMetadataFilter,
    parse_metadata_filter,
    read_metadata_filter,
)
from apps.integrations.zerodb.server.rows.updating import Update, read_update

MAXIMUM_ROWS = 1000
FILTER_NAMES = ("filter", "filters", "where")
# Parameters of a list that are not fields of the row.
_OWN_PARAMETERS = frozenset({"limit", "offset", "skip", "sort_by", "order", *FILTER_NAMES})


class WrongFieldName(ValidationFailed):
    """422: the rows came under another name than ``row_data``; says which name came and which is right."""

    def __init__(self, received: str | None, code: str) -> None:
        came = f" instead of '{received}'" if received else " instead of 'data' or 'rows'"
        words = f"Missing required field: row_data. Use row_data{came}."
        super().__init__([Problem(("body", "row_data"), words, "missing", code)])
        self.received = received

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {"expected_field": "row_data", "received_field": self.received}


# Names that are taken for it. The contract says MISSING_ROW_DATA for two; the vendor's papers say the other for all.
_MISTAKEN = {
    "data": "MISSING_ROW_DATA",
    "rows": "MISSING_ROW_DATA",
    "items": "INVALID_FIELD_NAME",
    "records": "INVALID_FIELD_NAME",
    "entries": "INVALID_FIELD_NAME",
    "documents": "INVALID_FIELD_NAME",
}


def read_rows(call: Call) -> list[dict[str, Any]]:
    """``POST …/rows {row_data}``: an object, or a list of objects, which may be empty."""
    body = call.body
    _, value = body.raw("row_data")
    if value is None:
        received = next((name for name in _MISTAKEN if body.has(name)), None)
        raise WrongFieldName(received, _MISTAKEN.get(received or "", "MISSING_ROW_DATA"))
    rows = [value] if isinstance(value, dict) else value
    if not isinstance(rows, list):
        body.fail("row_data", "Input should be an object or a list of objects", "dict_type")
    elif len(rows) > MAXIMUM_ROWS:
        body.fail("row_data", f"List should have at most {MAXIMUM_ROWS} items, not {len(rows)}", "too_long")
    else:
        for position, row in enumerate(rows):
            if not isinstance(row, dict):
                body.fail("row_data", f"Item {position} should be an object", "dict_type")
                break
    body.finish()
    return rows


def read_one_row(call: Call) -> dict[str, Any]:
    """``PUT`` and ``PATCH …/rows/{id} {row_data}``."""
    rows = read_rows(call)
    if len(rows) != 1:
        raise ValidationFailed([Problem(("body", "row_data"), "Input should be one object", "dict_type")])
    return rows[0]


@dataclass(frozen=True)
class RowQuery:
    """Which rows. ``sort`` holds (field, descending); ``shown`` says for each field whether it is wanted."""

    conditions: list[Condition]
    limit: int
    offset: int
    sort: list[tuple[str, bool]] = field(default_factory=list)
    shown: Mapping[str, bool] = field(default_factory=dict)


def read_list(call: Call) -> RowQuery:
    """``GET …/rows``: any parameter that is none of ours is a field's value."""
    query = call.query
    sort_by = query.text("sort_by")
    order = query.choice("order", options=("asc", "desc")) or "asc"
    conditions = _filter_in_query(query)
    for name, text in call.request.GET.dict().items():
        if name not in _OWN_PARAMETERS:
            # As the text itself and as what it looks like: "7" finds 7 and "7".
            conditions.append(Condition(name.removeprefix("row_data."), "$in", _readings(text)))
    wanted = RowQuery(
        conditions,
        query.integer("limit", default=100, minimum=1, maximum=1000),
        query.integer("offset", "skip", default=0, minimum=0),
        [(sort_by, order == "desc")] if sort_by else [],
    )
    query.finish()
    return wanted


def _readings(text: str) -> list[Any]:
    if text.lower() in ("true", "false"):
        return [text, text.lower() == "true"]
    try:
        return [text, orjson.loads(text)] if text[-1:].isdigit() else [text]
    except orjson.JSONDecodeError:
        return [text]


def _filter_in_query(query: Fields) -> list[Condition]:
    name, text = query.raw(*FILTER_NAMES)
    if text is None:
        return []
    try:
        return parse_metadata_filter(orjson.loads(text), of_rows=True)
    except orjson.JSONDecodeError:
        query.fail(name, "Input should be JSON", "json_invalid")
    except InvalidMetadataFilter as error:
        query.fail(name, str(error), code="INVALID_METADATA_FILTER")
    return []


def read_query(call: Call) -> RowQuery:
    """``POST …/query``. A limit of 0 only counts."""
    body = call.body
    sort_by = body.text("sort_by")
    order = body.choice("order", options=("asc", "desc")) or "asc"
    wanted = RowQuery(
        read_metadata_filter(body, *FILTER_NAMES, of_rows=True),
        body.integer("limit", default=100, minimum=0, maximum=1000),
        body.integer("offset", "skip", default=0, minimum=0),
        _sort(body) or ([(sort_by, order == "desc")] if sort_by else []),
        _projection(body),
    )
    body.finish()
    return wanted


def _sort(body: Fields) -> list[tuple[str, bool]]:
    found = []
    for name, direction in (body.mapping("sort") or {}).items():
        if direction not in (1, -1, "asc", "desc") or isinstance(direction, bool):
            body.fail("sort", f"The direction of '{name}' should be 1 or -1", "enum")
        found.append((name, direction in (-1, "desc")))
    return found


def _projection(body: Fields) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for name, wanted in (body.mapping("projection") or {}).items():
        if wanted not in (0, 1):
            body.fail("projection", f"'{name}' should be 1 or 0", "enum")
        found[name] = bool(wanted)
    return found


@dataclass(frozen=True)
class Change:
    """What to do with all rows that match; ``equal`` are the fields that an upsert begins with."""

    conditions: list[Condition]
    update: Update
    upsert: bool
    equal: dict[str, Any]


def read_change(call: Call) -> Change:
    """``PUT`` and ``PATCH …/rows {filter, update, upsert}``."""
    body = call.body
    name, given = body.raw(*FILTER_NAMES)
    if given is None:
        body.fail(name, "Field required", "missing")
    conditions = read_metadata_filter(body, *FILTER_NAMES, of_rows=True)
    change = Change(
        conditions,
        read_update(body),
        body.boolean("upsert", default=False),
        {condition.field: condition.operand for condition in conditions if condition.operator == "$eq"},
    )
    body.finish()
    return change


@dataclass(frozen=True)
class Removal:
    """Which rows to remove; ``limit`` 0 is all of them."""

    conditions: list[Condition]
    limit: int


def read_removal(call: Call) -> Removal:
    """``DELETE …/rows {filter, limit}``."""
    body = call.body
    name, given = body.raw(*FILTER_NAMES)
    if given is None:
        body.fail(name, "Field required", "missing")
    removal = Removal(
        read_metadata_filter(body, *FILTER_NAMES, of_rows=True), body.integer("limit", default=0, minimum=0)
    )
    body.finish()
    return removal
