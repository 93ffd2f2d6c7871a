"""What callers may ask of projects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.integrations.models import ZeroProject
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.store.projects import NewProject
from apps.integrations.zerodb.server.tiers import read_tier

NAME_MAXIMUM, DESCRIPTION_MAXIMUM = 255, 1000
FEATURES = ("semantic_search", "vector_storage", "agent_memory", "rlhf_collection")


def read_create(call: Call) -> NewProject:
    """``POST /projects``."""
    body = call.body
    wanted = NewProject(
        name=body.text("name", required=True, blank=False, trim=True, maximum=NAME_MAXIMUM) or "",
        description=body.text("description", maximum=DESCRIPTION_MAXIMUM) or "",
        tier=read_tier(body, default="free") or "free",
        database_enabled=body.boolean("database_enabled", default=True),
        settings=body.mapping("settings") or {},
        metadata=body.mapping("metadata") or {},
        config=body.mapping("config") or {},
    )
    body.finish()
    return wanted


def read_change(call: Call) -> dict[str, Any]:
    """``PATCH /projects/{id}``: the fields that were sent."""
    body = call.body
    changes = {
        "name": body.text("name", blank=False, trim=True, maximum=NAME_MAXIMUM),
        "description": body.text("description", maximum=DESCRIPTION_MAXIMUM),
        "metadata": body.mapping("metadata"),
        "config": body.mapping("config"),
        "settings": body.mapping("settings"),
        "tier": read_tier(body, default=None),
    }
    body.finish()
    return {name: value for name, value in changes.items() if value is not None}


def read_settings(call: Call) -> dict[str, Any]:
    """``PATCH /projects/{id}/settings``: known features must be booleans, anything else is kept as it is."""
    body = call.body
    features = body.mapping("features")
    if features is not None:
        inner = Fields(features, ("body", "features"))
        for name in FEATURES:
            if name in features and not isinstance(features[name], bool):
                inner.fail(name, "Input should be a valid boolean", "bool_type")
        inner.finish()
    body.finish()
    return {name: value for name, value in call.json.items() if value is not None}


@dataclass(frozen=True)
class StatusChange:
    """``status`` is one of ZeroProject.Status."""

    status: str
    reason: str


def read_status(call: Call) -> StatusChange:
    """``PATCH`` or ``PUT /projects/{id}/status``."""
    body = call.body
    status = body.choice("status", options=ZeroProject.Status.values, required=True, code="INVALID_PROJECT_STATUS")
    reason = body.text("reason", maximum=DESCRIPTION_MAXIMUM)
    body.finish()
    return StatusChange(status or "", reason or "")


@dataclass(frozen=True)
class ListRequest:
    """``paged`` is true when the caller asked for a page, and so for the longer answer."""

    limit: int
    offset: int
    status: str | None
    tier: str | None
    paged: bool


def read_list(call: Call) -> ListRequest:
    """``GET /projects``."""
    query = call.query
    wanted = ListRequest(
        limit=query.integer("limit", default=100, minimum=1, maximum=1000),
        offset=query.integer("offset", default=0, minimum=0),
        status=query.choice("status", options=ZeroProject.Status.values, code="INVALID_PROJECT_STATUS"),
        tier=read_tier(query, default=None),
        paged=query.has("limit", "offset", "status"),
    )
    query.finish()
    return wanted
