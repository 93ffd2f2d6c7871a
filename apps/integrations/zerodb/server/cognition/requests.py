"""What callers may ask of an agent's memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.cognition.scoring import Kind, Weights
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.namespaces import read_namespace


@dataclass(frozen=True)
class Remember:
    """Something to remember."""

    agent_id: str
    run_id: str
    content: str
    memory_type: str
    namespace: str
    metadata: dict[str, Any]
    importance_hint: float | None


def read_remember(call: Call) -> Remember:
    """``POST …/memory/remember``."""
    body = call.body
    hint = body.number("importance_hint", default=0.0, minimum=0.0, maximum=1.0)
    wanted = Remember(
        agent_id=body.text("agent_id", required=True, blank=False, maximum=255) or "",
        run_id=body.text("run_id", maximum=255) or f"run_{uuid4().hex[:12]}",
        content=body.text("content", required=True, blank=False) or "",
        memory_type=body.choice("memory_type", options=Kind.values) or Kind.WORKING.value,
        namespace=read_namespace(body),
        metadata=body.mapping("metadata") or {},
        importance_hint=hint if body.has("importance_hint") else None,
    )
    body.finish()
    return wanted


@dataclass(frozen=True)
class Recall:
    """A question to the memory."""

    query: str
    agent_id: str | None
    namespace: str
    limit: int
    weights: Weights


def read_recall(call: Call) -> Recall:
    """``POST …/memory/recall``."""
    body = call.body
    wanted = Recall(
        query=body.text("query", required=True, blank=False, trim=True) or "",
        agent_id=body.text("agent_id") or None,
        namespace=read_namespace(body),
        limit=body.integer("limit", "top_k", default=10, minimum=1, maximum=100),
        weights=_weights(body),
    )
    body.finish()
    return wanted


def _weights(body: Fields) -> Weights:
    fields = Fields(body.mapping("weights") or {}, ("body", "weights"))
    usual = Weights()
    weights = Weights(
        similarity=fields.number("similarity", default=usual.similarity, minimum=0.0, maximum=1.0),
        recency=fields.number("recency", default=usual.recency, minimum=0.0, maximum=1.0),
        importance=fields.number("importance", default=usual.importance, minimum=0.0, maximum=1.0),
        half_life_days=fields.number("half_life_days", default=usual.half_life_days, minimum=0.0),
    )
    if weights.half_life_days == 0:
        fields.fail("half_life_days", "Input should be greater than 0", "greater_than")
    body.problems.extend(fields.problems)
    return weights


@dataclass(frozen=True)
class Reflect:
    """What to look back on."""

    agent_id: str | None
    namespace: str
    window_days: int


def read_reflect(call: Call) -> Reflect:
    """``POST …/memory/reflect``."""
    body = call.body
    wanted = Reflect(
        agent_id=body.text("agent_id") or None,
        namespace=read_namespace(body),
        window_days=body.integer("window_days", default=30, minimum=1, maximum=365),
    )
    body.finish()
    return wanted
