"""``/{project_id}/agent-memory``: the append-only log of agents' runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.integrations.models import ZeroAgentMemory
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import agent_not_found, immutable_record, memory_not_found, path_not_found
from apps.integrations.zerodb.server.namespaces import read_namespace
from apps.integrations.zerodb.server.scopes import ProjectReference
from apps.integrations.zerodb.server.store import agent_memories as store

KINDS = ZeroAgentMemory.Kind.values
# What is asked for may also be what ``memory/remember`` stored.
_ALL_KINDS = [*KINDS, *ZeroAgentMemory.CognitiveKind.values]


IMMUTABLE = ("agent-memory", "agents", "compliance-events", "x402-requests")
"""Kinds of records that are never changed. This server keeps the first, and from it knows the second."""


def create(call: Call, scope: ProjectReference) -> tuple[int, dict[str, Any]]:
    """``POST …/agent-memory``."""
    body = call.body
    entry = {
        "agent_id": body.text("agent_id", required=True, blank=False, maximum=255),
        "run_id": body.text("run_id", required=True, blank=False, maximum=255),
        "memory_type": body.choice("memory_type", options=KINDS, required=True),
        "content": body.text("content", required=True, blank=False),
        "metadata": body.mapping("metadata") or {},
        "namespace": read_namespace(body),
    }
    body.finish()
    vector = store.embedded(str(entry["content"]))
    with call.project(scope, writes=True):
        memory = store.append(entry, vector)
    return 201, _entry_answer(memory) | {"created": True}


def _entry_answer(memory: ZeroAgentMemory) -> dict[str, Any]:
    return {
        "memory_id": memory.memory_id,
        "agent_id": memory.agent_id,
        "run_id": memory.run_id,
        "memory_type": memory.memory_type,
        "namespace": memory.namespace,
        "timestamp": memory.created_at,
    }


def _whole_answer(memory: ZeroAgentMemory, project_id: str) -> dict[str, Any]:
    return _entry_answer(memory) | {
        "project_id": project_id,
        "content": memory.content,
        "metadata": memory.metadata,
    }


def list_all(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/agent-memory``, newest first; of all namespaces unless one is named."""
    query = call.query
    limit = query.integer("limit", default=100, minimum=1, maximum=1000)
    offset = query.integer("offset", default=0, minimum=0)
    filters: dict[str, Any] = {name: query.text(name) for name in ("agent_id", "run_id")}
    filters["memory_type"] = query.choice("memory_type", options=_ALL_KINDS)
    filters["namespace"] = read_namespace(query) if query.has("namespace") else None
    query.finish()
    applied = {name: value for name, value in filters.items() if value is not None}
    with call.project(scope) as project:
        rows = store.entries(**applied)
        page = list(rows[offset : offset + limit])
        total = rows.count()
    return {
        "memories": [_whole_answer(memory, project.public_id) for memory in page],
        "total": total,
        "limit": limit,
        "offset": offset,
        "filters_applied": applied,
    }


def show(call: Call, scope: ProjectReference, memory_id: str) -> dict[str, Any]:
    """``GET …/agent-memory/{memory_id}``."""
    query = call.query
    rows = {"memory_id": memory_id}
    if query.has("namespace"):
        rows["namespace"] = read_namespace(query)
    query.finish()
    with call.project(scope) as project:
        memory = store.entries(**rows).first()
        if memory is None:
            raise memory_not_found(memory_id)
        return _whole_answer(memory, project.public_id)


def list_agents(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/agents``: who wrote to the log. Only created projects have agents."""
    query = call.query
    limit = query.integer("limit", default=100, minimum=1, maximum=1000)
    offset = query.integer("offset", default=0, minimum=0)
    query.finish()
    with call.project(scope, created_only=True) as project:
        found, total = store.agents(limit=limit, offset=offset)
    agents = [_agent_answer(agent, project.public_id) for agent in found]
    return {"agents": agents, "total": total, "limit": limit, "offset": offset}


def _agent_answer(agent: Mapping[str, Any], project_id: str) -> dict[str, Any]:
    return {"id": agent["agent_id"], **agent, "project_id": project_id}


def show_agent(call: Call, scope: ProjectReference, agent_id: str) -> dict[str, Any]:
    """``GET …/agents/{agent_id}``: somebody who wrote to the log."""
    with call.project(scope, created_only=True) as project:
        found, _ = store.agents(limit=1, offset=0, agent_id=agent_id)
    if not found:
        raise agent_not_found(agent_id)
    return _agent_answer(found[0], project.public_id)


def require_change(call: Call, scope: ProjectReference, **_: str) -> None:
    """Below a record there is nothing but the refusal to change it. Raises ApiError 404 PATH_NOT_FOUND."""
    if call.request.method not in ("PUT", "PATCH", "DELETE"):
        raise path_not_found(call.request.path_info)


def refuse_change(call: Call, scope: ProjectReference, **_: str) -> dict[str, Any]:
    """``PUT``, ``PATCH`` and ``DELETE``: never."""
    kind = next(kind for kind in IMMUTABLE if f"/{kind}" in call.request.path_info)
    raise immutable_record(kind.replace("-", " "))
