"""What callers may ask of tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.tables.schema import checked_definition

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)


@dataclass(frozen=True)
class NewTable:
    """A table to make; ``definition`` is checked."""

    name: str
    description: str
    definition: dict[str, Any]


def read_create(call: Call) -> NewTable:
    """``POST …/tables``. ``schema_definition`` and ``indexes`` beside it are the form of the MCP client."""
    body = call.body
    name = body.text("table_name", "name", required=True, blank=False, trim=True, maximum=100) or ""
    if name and len(name) <= 100 and not _NAME.fullmatch(name):
        words = "table_name must start with a lowercase letter and hold lowercase letters, digits and '_' only"
        body.fail("table_name", words, "string_pattern_mismatch")
    description = body.text("description", maximum=500) or ""
    schema = body.mapping("schema", "schema_definition", required=True) or {}
    fields = schema.get("fields") if "fields" in schema else schema
    if isinstance(fields, list):
        fields = {f.get("name"): f for f in fields if isinstance(f, dict) and isinstance(f.get("name"), str)}
    indexes = schema.get("indexes") if "fields" in schema else None
    if indexes is None:
        indexes = body.items("indexes") or []
    if body.has("schema", "schema_definition"):
        if not isinstance(fields, dict) or not fields:
            body.fail("schema", "fields should be an object with at least one field", "too_short")
        if not isinstance(indexes, list):
            body.fail("schema", "indexes should be a valid list", "list_type")
    body.finish()
    return NewTable(name, description, checked_definition(fields or {}, indexes))


@dataclass(frozen=True)
class Page:
    """Which part of a list."""

    limit: int
    offset: int


def read_page(call: Call) -> Page:
    """``GET …/tables``."""
    query = call.query
    page = Page(
        query.integer("limit", default=100, minimum=1, maximum=1000),
        query.integer("offset", "skip", default=0, minimum=0),
    )
    query.finish()
    return page


def read_confirmation(call: Call) -> bool | None:
    """``DELETE …/tables/{table}``: whether the query or the body confirms; None when neither says anything."""
    for fields in (call.query, call.body):
        if fields.has("confirm"):
            confirmed = fields.boolean("confirm", default=False)
            fields.finish()
            return confirmed
    return None
