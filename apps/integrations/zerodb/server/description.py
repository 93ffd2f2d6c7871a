"""``/openapi.json``: which paths and methods there are, read from the routes themselves."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.service import NAME, VERSION

# How a converter's part of a path may be written; a client needs the first of each.
_SCOPES = {
    "zerodb_scope": ("projects/{project_id}/", "{project_id}/", ""),
    "zerodb_direct_or_projects": ("projects/{project_id}/", "{project_id}/"),
    "zerodb_direct_or_header": ("{project_id}/", ""),
    "zerodb_direct": ("{project_id}/",),
}
_PART = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")
_ERROR = {
    "description": "Refused",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["detail", "error_code"],
                "properties": {"detail": {"type": "string"}, "error_code": {"type": "string"}},
            }
        }
    },
}


def openapi(call: Call) -> dict[str, Any]:
    """``GET /openapi.json``, also as ``/docs`` and ``/redoc`` (OpenAPI 3.1). Not fields: errors name those."""
    return _description()


@cache
def _description() -> dict[str, Any]:
    from apps.integrations.zerodb.server.urls import routes

    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for path in _written(str(route.pattern)):
            summaries: dict[str, str] = getattr(route.callback, "summaries", {})
            for method, summary in summaries.items():
                is_open = getattr(route.callback, "open_to_all", False)
                paths.setdefault(path, {})[method.lower()] = _operation(path, summary, is_open=is_open)
    return {
        "openapi": "3.1.0",
        "info": {"title": NAME, "version": VERSION},
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            }
        },
    }


def _written(pattern: str) -> list[str]:
    found = _PART.match(pattern)
    scopes = _SCOPES.get(found["converter"] or "") if found else None
    starts = [pattern] if found is None or scopes is None else [scope + pattern[found.end() :] for scope in scopes]
    return ["/" + _PART.sub(r"{\g<name>}", start) for start in starts]


def _operation(path: str, summary: str, *, is_open: bool) -> dict[str, Any]:
    return {
        "summary": summary,
        "security": [] if is_open else [{"key": []}, {"bearer": []}],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", path)
        ],
        "responses": {"2XX": {"description": "Done"}, "4XX": _ERROR},
    }
