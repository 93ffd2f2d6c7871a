"""What callers may ask of remembered facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.integrations.models import ZeroMemory
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.metadata_filter import Condition, read_metadata_filter

MAXIMUM_CONTENT = 100_000
MAXIMUM_BULK = 100
_SHORT = 255
PRIORITIES = ZeroMemory.Priority.values
# Parameters of a list that are not equality on metadata. ``project_id`` is repeated there by one client.
_OWN_PARAMETERS = frozenset(
    {"limit", "offset", "user_id", "session_id", "agent_id", "role", "tags", "priority", "search", "project_id"}
)


@dataclass(frozen=True)
class NewMemory:
    """A fact to remember."""

    content: str
    title: str
    priority: str
    tags: list[str]
    metadata: dict[str, Any]
    user_id: str
    session_id: str
    agent_id: str
    role: str
    expires_at: datetime | None


def read_create(call: Call) -> NewMemory:
    """``POST …/database/memory``."""
    memory = _memory(call.body)
    call.body.finish()
    return memory


def _memory(fields: Fields) -> NewMemory:
    return NewMemory(
        content=fields.text("content", required=True, blank=False, maximum=MAXIMUM_CONTENT) or "",
        title=fields.text("title", maximum=_SHORT) or "",
        priority=fields.choice("priority", options=PRIORITIES) or ZeroMemory.Priority.MEDIUM,
        tags=fields.texts("tags", maximum=100) or [],
        metadata=fields.mapping("metadata") or {},
        user_id=fields.text("user_id", maximum=_SHORT) or "",
        session_id=fields.text("session_id", maximum=_SHORT) or "",
        agent_id=fields.text("agent_id", maximum=_SHORT) or "",
        role=fields.text("role", maximum=50) or "",
        expires_at=fields.moment("expires_at"),
    )


def read_bulk(call: Call) -> list[NewMemory]:
    """``POST …/database/memory/bulk {memories}``."""
    body = call.body
    memories = []
    for position, entry in enumerate(body.items("memories", required=True, minimum=1, maximum=MAXIMUM_BULK) or []):
        if not isinstance(entry, dict):
            body.fail("memories", f"Item {position} should be an object", "dict_type")
            continue
        fields = Fields(entry, ("body", "memories", position))
        memories.append(_memory(fields))
        body.problems.extend(fields.problems)
    body.finish()
    return memories


def read_change(call: Call) -> dict[str, Any]:
    """``PATCH …/database/memory/{id}``: the fields that were sent."""
    body = call.body
    changes = {
        "content": body.text("content", blank=False, maximum=MAXIMUM_CONTENT),
        "title": body.text("title", maximum=_SHORT),
        "priority": body.choice("priority", options=PRIORITIES),
        "tags": body.texts("tags", maximum=100),
        "metadata": body.mapping("metadata"),
        "expires_at": body.moment("expires_at"),
    }
    body.finish()
    return {name: value for name, value in changes.items() if value is not None}


@dataclass(frozen=True)
class ListRequest:
    """Which memories to list. ``equal`` holds fields of the row, ``metadata`` is compared as text."""

    limit: int
    offset: int
    equal: dict[str, str]
    tags: list[str]
    search: str | None
    metadata: dict[str, str]


def read_list(call: Call) -> ListRequest:
    """``GET …/database/memory``."""
    query = call.query
    equal = {name: query.text(name) for name in ("user_id", "session_id", "agent_id", "role")}
    equal["priority"] = query.choice("priority", options=PRIORITIES)
    wanted = ListRequest(
        limit=query.integer("limit", default=100, minimum=1, maximum=1000),
        offset=query.integer("offset", default=0, minimum=0),
        equal={name: value for name, value in equal.items() if value is not None},
        tags=[tag.strip() for tag in (query.text("tags") or "").split(",") if tag.strip()],
        search=query.text("search"),
        metadata={
            name: value for name, value in call.request.GET.dict().items() if name not in _OWN_PARAMETERS and value
        },
    )
    query.finish()
    return wanted


@dataclass(frozen=True)
class SearchRequest:
    """A question to the memory; ``semantic`` false looks for the words themselves."""

    query: str
    limit: int
    equal: dict[str, str]
    conditions: list[Condition]
    semantic: bool
    threshold: float


def read_search(call: Call) -> SearchRequest:
    """``POST …/database/memory/search``."""
    body = call.body
    equal = {name: body.text(name) for name in ("user_id", "session_id", "agent_id")}
    wanted = SearchRequest(
        query=body.text("query", required=True, blank=False, trim=True) or "",
        limit=body.integer("limit", "top_k", default=10, minimum=1, maximum=100),
        equal={name: value for name, value in equal.items() if value},
        conditions=read_metadata_filter(body, "filter_metadata", "metadata_filter", "filters", "filter"),
        semantic=body.boolean("semantic", default=True),
        threshold=body.number("threshold", "similarity_threshold", default=0.0, minimum=0.0, maximum=1.0),
    )
    body.finish()
    return wanted


def read_related(call: Call) -> int:
    """``GET …/database/memory/{id}/related?limit``."""
    limit = call.query.integer("limit", default=5, minimum=1, maximum=100)
    call.query.finish()
    return limit
