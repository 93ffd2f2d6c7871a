"""``…/database/memory…``: facts worth remembering."""

from __future__ import annotations

from typing import Any

from apps.integrations.models import ZeroMemory
from apps.integrations.zerodb.embedding import DEFAULT_MODEL
from apps.integrations.zerodb.server.answers import scores
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.memory import requests
from apps.integrations.zerodb.server.scopes import ProjectReference
from apps.integrations.zerodb.server.store import memories


def memory_answer(memory: ZeroMemory, project_id: str) -> dict[str, Any]:
    """A whole memory."""
    return {
        "id": memory.id,
        "memory_id": memory.id,
        "project_id": project_id,
        "content": memory.content,
        "title": memory.title,
        "priority": memory.priority,
        "tags": memory.tags,
        "metadata": memory.metadata,
        "user_id": memory.user_id or None,
        "session_id": memory.session_id or None,
        "agent_id": memory.agent_id or None,
        "role": memory.role or None,
        "expires_at": memory.expires_at,
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
    }


def _recalled_answer(found: list[memories.Recalled], project_id: str) -> list[dict[str, Any]]:
    return [memory_answer(hit.memory, project_id) | scores(hit.score) for hit in found]


def create(call: Call, scope: ProjectReference) -> tuple[int, dict[str, Any]]:
    """``POST …/memory``."""
    wanted = [requests.read_create(call)]
    vectors = memories.embed_contents(wanted)
    with call.project(scope, writes=True) as project:
        (memory,) = memories.remember(wanted, vectors)
    return 201, memory_answer(memory, project.public_id)


def create_many(call: Call, scope: ProjectReference) -> tuple[int, dict[str, Any]]:
    """``POST …/memory/bulk``: all or nothing."""
    wanted = requests.read_bulk(call)
    vectors = memories.embed_contents(wanted)
    with call.project(scope, writes=True) as project:
        stored = memories.remember(wanted, vectors)
    answers = [memory_answer(memory, project.public_id) for memory in stored]
    return 201, {
        "memories": answers,
        "ids": [memory.id for memory in stored],
        "created": len(answers),
        "created_count": len(answers),
        "total": len(answers),
    }


def list_all(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/memory``."""
    wanted = requests.read_list(call)
    with call.project(scope) as project:
        page, total = memories.list_memories(wanted)
    return {
        "memories": [memory_answer(memory, project.public_id) for memory in page],
        "total": total,
        "limit": wanted.limit,
        "offset": wanted.offset,
    }


def search(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/memory/search``."""
    wanted = requests.read_search(call)
    vector = DEFAULT_MODEL.engine.embed([wanted.query])[0] if wanted.semantic else None
    with call.project(scope) as project:
        found = memories.recall(wanted, vector)
    return {"results": _recalled_answer(found, project.public_id), "total": len(found), "query": wanted.query}


def show(call: Call, scope: ProjectReference, memory_id: str) -> dict[str, Any]:
    """``GET …/memory/{id}``."""
    with call.project(scope) as project:
        return memory_answer(memories.get_memory(memory_id), project.public_id)


def change(call: Call, scope: ProjectReference, memory_id: str) -> dict[str, Any]:
    """``PATCH …/memory/{id}``."""
    changes = requests.read_change(call)
    vector = DEFAULT_MODEL.engine.embed([changes["content"]])[0].tolist() if "content" in changes else None
    with call.project(scope, writes=True) as project:
        return memory_answer(memories.change_memory(memory_id, changes, vector), project.public_id)


def delete(call: Call, scope: ProjectReference, memory_id: str) -> dict[str, Any]:
    """``DELETE …/memory/{id}``."""
    with call.project(scope, writes=True):
        memories.forget(memory_id)
    return {"deleted": True, "id": memory_id}


def related(call: Call, scope: ProjectReference, memory_id: str) -> dict[str, Any]:
    """``GET …/memory/{id}/related``."""
    limit = requests.read_related(call)
    with call.project(scope) as project:
        found = _recalled_answer(memories.related(memory_id, limit), project.public_id)
    return {"memories": found, "results": found, "total": len(found)}
