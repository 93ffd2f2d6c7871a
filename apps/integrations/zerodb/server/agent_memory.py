"""``/{project_id}/agent-memory``: the append-only log of agents' runs."""

from __future__ import annotations

from typing import Any

from apps.integrations.models import ZeroAgentMemory
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import immutable_record, memory_not_found
from apps.integrations.zerodb.server.identifiers import new_memory_id
from apps.integrations.zerodb.server.namespaces import read_namespace
from apps.integrations.zerodb.server.scopes import ProjectReference

KINDS = ZeroAgentMemory.Kind.values


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
    with call.project(scope, writes=True):
        memory = ZeroAgentMemory.objects.create(memory_id=new_memory_id(), **entry)
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
    """``GET …/agent-memory``, newest first."""
    query = call.query
    limit = query.integer("limit", default=100, minimum=1, maximum=1000)
    offset = query.integer("offset", default=0, minimum=0)
    filters: dict[str, Any] = {name: query.text(name) for name in ("agent_id", "run_id")}
    filters["memory_type"] = query.choice("memory_type", options=KINDS)
    filters["namespace"] = read_namespace(query)
    query.finish()
    applied = {name: value for name, value in filters.items() if value is not None}
    with call.project(scope) as project:
        rows = ZeroAgentMemory.objects.filter(**applied)
        page = list(rows.order_by("-created_at", "-id")[offset : offset + limit])
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
        memory = ZeroAgentMemory.objects.filter(**rows).first()
        if memory is None:
            raise memory_not_found(memory_id)
        return _whole_answer(memory, project.public_id)


def refuse_change(call: Call, scope: ProjectReference, memory_id: str = "") -> dict[str, Any]:
    """``PUT``, ``PATCH`` and ``DELETE``: never."""
    raise immutable_record("agent memory")
