"""``/{project_id}/memory/…``: scored recall over the log of agents' runs, and what the log comes to."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.cognition import insights, requests, scoring
from apps.integrations.zerodb.server.namespaces import read_namespace
from apps.integrations.zerodb.server.scopes import ProjectReference
from apps.integrations.zerodb.server.store import agent_memories as store

_LOOKED_AT = 500
"""Memories that a profile or a reflection reads at most: the newest."""
_CANDIDATES = 5
"""Times the wanted number of memories, nearest first, from which the best are taken by the whole score."""


def remember(call: Call, scope: ProjectReference) -> tuple[int, dict[str, Any]]:
    """``POST …/memory/remember``."""
    wanted = requests.read_remember(call)
    importance = scoring.importance(wanted.memory_type, wanted.content, wanted.metadata, wanted.importance_hint)
    category = scoring.category(wanted.content, wanted.memory_type)
    entry = {
        "agent_id": wanted.agent_id,
        "run_id": wanted.run_id,
        "memory_type": wanted.memory_type,
        "content": wanted.content,
        "namespace": wanted.namespace,
        "metadata": wanted.metadata
        | {"importance": importance, "category": category, "cognitive_memory_type": wanted.memory_type},
    }
    vector = store.embedded(wanted.content)
    with call.project(scope, writes=True):
        stored = store.append(entry, vector)
    return 201, {
        "memory_id": stored.memory_id,
        "agent_id": stored.agent_id,
        "run_id": stored.run_id,
        "content": stored.content,
        "memory_type": stored.memory_type,
        "category": category,
        "importance": importance,
        "namespace": stored.namespace,
        "timestamp": stored.created_at,
        "created": True,
        # The vendor's server writes to a public ledger too; nothing leaves this one.
        "hcs_anchor_pending": False,
    }


def recall(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/memory/recall``, best first."""
    wanted = requests.read_recall(call)
    vector = store.embedded(wanted.query)
    with call.project(scope):
        near = store.nearest(
            vector, namespace=wanted.namespace, agent_id=wanted.agent_id, limit=wanted.limit * _CANDIDATES
        )
    now = timezone.now()
    scored = [_recalled(hit, now, wanted.weights) for hit in near]
    scored.sort(key=lambda item: -item["composite_score"])
    memories = scored[: wanted.limit]
    return {
        "memories": memories,
        "results": memories,
        "total": len(memories),
        "query": wanted.query,
        "weights": asdict(wanted.weights),
    }


def _recalled(hit: store.Near, now: datetime, weights: scoring.Weights) -> dict[str, Any]:
    entry = hit.entry
    recency, importance = (
        scoring.recency(entry.created_at, now, weights.half_life_days),
        scoring.importance_of(entry),
    )
    composite = hit.similarity * weights.similarity + recency * weights.recency + importance * weights.importance
    return {
        "memory_id": entry.memory_id,
        "agent_id": entry.agent_id,
        "content": entry.content,
        "category": scoring.category_of(entry),
        "memory_type": scoring.kind_of(entry),
        "importance": importance,
        "similarity_score": hit.similarity,
        "recency_weight": round(recency, 6),
        "composite_score": round(composite, 6),
        "metadata": entry.metadata,
        "timestamp": entry.created_at,
    }


def reflect(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/memory/reflect``: patterns, contradictions and gaps of the last ``window_days``."""
    wanted = requests.read_reflect(call)
    since = timezone.now() - timedelta(days=wanted.window_days)
    with call.project(scope):
        memories = store.with_vectors(
            namespace=wanted.namespace, agent_id=wanted.agent_id, since=since, limit=_LOOKED_AT
        )
    return {
        "agent_id": wanted.agent_id,
        "namespace": wanted.namespace,
        "window_days": wanted.window_days,
        "memory_count": len(memories),
        "patterns": insights.patterns(memories),
        "contradictions": insights.contradictions(memories),
        "gaps": insights.gaps(memories),
    }


def profile(call: Call, scope: ProjectReference, agent_id: str) -> dict[str, Any]:
    """``GET …/memory/profile/{agent_id}``."""
    namespace = read_namespace(call.query)
    call.query.finish()
    with call.project(scope):
        memories = list(store.entries(agent_id=agent_id, namespace=namespace)[:_LOOKED_AT])
    found = insights.topics(memories)
    return {
        "agent_id": agent_id,
        "namespace": namespace,
        "memory_count": len(memories),
        "categories": insights.categories(memories),
        "topics": found,
        "expertise_areas": insights.expertise(found),
        "first_memory_at": memories[-1].created_at if memories else None,
        "last_memory_at": memories[0].created_at if memories else None,
    }
