"""The operations of the RPC door, each with the view that does it and how its parameters are named there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.integrations.zerodb.server import agent_memory, events, feedback, service
from apps.integrations.zerodb.server.cognition import views as cognition
from apps.integrations.zerodb.server.embeddings import views as embeddings
from apps.integrations.zerodb.server.endpoint import Answer
from apps.integrations.zerodb.server.limits import Kind
from apps.integrations.zerodb.server.memory import views as memory
from apps.integrations.zerodb.server.projects import views as projects
from apps.integrations.zerodb.server.rows import views as rows
from apps.integrations.zerodb.server.tables import views as tables
from apps.integrations.zerodb.server.vectors import views as vectors

Params = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """``view`` takes the call and, ``in_project``, the project; ``path`` names the parameters that its path holds.

    ``renamed`` are parameters by the names of the client and of the route; ``defaults`` the client's own;
    ``counted`` the limit against which it counts.
    """

    summary: str
    view: Callable[..., Answer]
    in_project: bool = True
    path: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    counted: Kind | None = None


def _whole(summary: str, view: Callable[..., Answer], *path: str) -> Operation:
    """An operation on projects themselves, or on none."""
    return Operation(summary, view, in_project=False, path=path)


# A client of operations names a table by name, and asks for no confirmation but its own.
_TABLE = {"table_name": "table"}
_THRESHOLD = {"threshold": 0.7}

OPERATIONS: dict[str, Operation] = {
    # projects
    "create_project": _whole("Create a project", projects.create),
    "list_projects": _whole("List projects", projects.list_all),
    "get_project": _whole("Show a project", projects.show, "project_id"),
    "update_project": _whole("Change a project", projects.change, "project_id"),
    "delete_project": _whole("Delete a project", projects.delete, "project_id"),
    "get_project_stats": _whole("What a project holds", projects.statistics, "project_id"),
    # vectors
    "upsert_vector": Operation("Store a vector", vectors.upsert, counted="store"),
    "batch_upsert_vectors": Operation("Store many vectors", vectors.put_many, counted="store"),
    "search_vectors": Operation("Find similar vectors", vectors.search, defaults=_THRESHOLD, counted="search"),
    "get_vector": Operation("Show a vector", vectors.show, path=("vector_id",)),
    "list_vectors": Operation("List vectors", vectors.list_or_get),
    "delete_vector": Operation("Remove a vector", vectors.delete_one, path=("vector_id",)),
    "create_vector_index": Operation("Have vectors in an index", vectors.make_index),
    "vector_stats": Operation("Count vectors", vectors.stats),
    # embeddings
    "generate_embeddings": Operation("Embed texts", embeddings.generate),
    "embed_and_store": Operation("Embed texts and store them", embeddings.embed_and_store, counted="store"),
    "semantic_search": Operation("Find texts by meaning", embeddings.search, defaults=_THRESHOLD, counted="search"),
    "list_embedding_models": _whole("List embedding models", service.models_with_default),
    "embedding_health_check": _whole("Whether texts can be embedded", service.embedding_health),
    # memory
    "store_memory": Operation("Remember a fact", memory.create),
    "search_memory": Operation("Find facts", memory.search),
    "list_memories": Operation("List facts", memory.list_all),
    "get_memory": Operation("Show a fact", memory.show, path=("memory_id",)),
    "delete_memory": Operation("Forget a fact", memory.delete, path=("memory_id",)),
    "log_agent_memory": Operation("Add to an agent's log", agent_memory.create),
    "list_agent_memory": Operation("Read an agent's log", agent_memory.list_all),
    "remember": Operation("Remember with a score", cognition.remember),
    "recall": Operation("Recall by the whole score", cognition.recall),
    "reflect": Operation("Look back", cognition.reflect),
    "agent_profile": Operation("What an agent knows", cognition.profile, path=("agent_id",)),
    # tables
    "create_table": Operation("Create a table", tables.create),
    "list_tables": Operation("List tables", tables.list_all),
    "get_table": Operation("Show a table", tables.show, path=("table",), renamed=_TABLE),
    "delete_table": Operation("Delete a table", tables.delete, path=("table",), renamed=_TABLE),
    "insert_rows": Operation(
        "Add rows", rows.insert, path=("table",), renamed={**_TABLE, "rows": "row_data", "data": "row_data"}
    ),
    "query_rows": Operation("Find rows", rows.query, path=("table",), renamed=_TABLE),
    "update_rows": Operation("Change rows", rows.change, path=("table",), renamed=_TABLE),
    "delete_rows": Operation("Remove rows", rows.delete_many, path=("table",), renamed=_TABLE),
    # events
    "create_event": Operation("Log an event", events.create),
    "list_events": Operation("List events", events.list_all),
    "get_event": Operation("Show an event", events.show, path=("event_id",)),
    "event_stats": Operation("Count events", events.stats),
    # feedback
    "rlhf_collect_interaction": Operation(
        "Record an interaction",
        feedback.create,
        renamed={"user_input": "prompt", "agent_response": "response", "context": "metadata"},
    ),
    "rlhf_get_summary": Operation("What ratings come to", feedback.stats),
}
