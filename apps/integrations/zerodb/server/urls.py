"""Every route of the embedded ZeroDB server, under each base its clients use."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.urls import URLPattern, URLResolver, include, path, re_path

from apps.integrations.zerodb.server import agent_memory, description, events, feedback, scopes, service, sign_in
from apps.integrations.zerodb.server.analytics import views as analytics
from apps.integrations.zerodb.server.cognition import views as cognition
from apps.integrations.zerodb.server.embeddings import views as embeddings
from apps.integrations.zerodb.server.endpoint import endpoint, unknown_path
from apps.integrations.zerodb.server.memory import views as memory
from apps.integrations.zerodb.server.projects import views as projects
from apps.integrations.zerodb.server.remote import views as remote
from apps.integrations.zerodb.server.rows import views as rows
from apps.integrations.zerodb.server.scopes import Form
from apps.integrations.zerodb.server.tables import views as tables
from apps.integrations.zerodb.server.vectors import views as vectors
from apps.integrations.zerodb.server.vectors.bare_paths import require_bare_path

scopes.register()

# ``/`` of the contract, which is also what a base answers without its last slash.
base = endpoint(open_to_all=True, GET=service.root)
_OPEN = [
    path("", base),
    path("health", endpoint(open_to_all=True, GET=service.health)),
    *[path(name, endpoint(open_to_all=True, GET=description.openapi)) for name in ("openapi.json", "docs", "redoc")],
]
_AUTH = [
    path("auth/login", endpoint(open_to_all=True, POST=sign_in.login)),
    path("auth/refresh", endpoint(open_to_all=True, POST=sign_in.refresh)),
    path("auth/me", endpoint(GET=sign_in.who_am_i)),
]
_PROJECTS = [
    path("projects", endpoint(GET=projects.list_all, POST=projects.create)),
    path("projects/<str:project_id>", endpoint(GET=projects.show, PATCH=projects.change, DELETE=projects.delete)),
    path("projects/<str:project_id>/settings", endpoint(PATCH=projects.change_settings)),
    path("projects/<str:project_id>/status", endpoint(PATCH=projects.change_status, PUT=projects.change_status)),
    path("projects/<str:project_id>/api-key", endpoint(POST=projects.new_key)),
    path("projects/<str:project_id>/statistics", endpoint(GET=projects.statistics)),
    path("projects/<str:project_id>/collections", endpoint(GET=projects.collections)),
]
_EMBEDDINGS = [
    path("embeddings/models", endpoint(open_to_all=True, GET=service.list_models)),
    path("embeddings/models/<zerodb_model:name>", endpoint(timed=True, GET=service.show_model)),
    path("<zerodb_scope:scope>embeddings/generate", endpoint(timed=True, POST=embeddings.generate)),
    path("<zerodb_scope:scope>embeddings/batch", endpoint(timed=True, POST=embeddings.generate)),
    path("<zerodb_scope:scope>embeddings/compare", endpoint(timed=True, POST=embeddings.compare)),
    path(
        "<zerodb_scope:scope>embeddings/embed-and-store",
        endpoint(timed=True, counted="store", POST=embeddings.embed_and_store),
    ),
    path("<zerodb_scope:scope>embeddings/search", endpoint(timed=True, counted="search", POST=embeddings.search)),
]


def _vector_routes(
    prefix: str, *, without_database: bool = False, deprecated: Collection[Form] = ()
) -> list[URLPattern]:
    view = partial(endpoint, timed=True, guard=require_bare_path if without_database else None, deprecated=deprecated)
    return [
        path(
            prefix,
            view(counted={"PUT": "store"}, GET=vectors.list_or_get, PUT=vectors.put_many, DELETE=vectors.delete_many),
        ),
        path(f"{prefix}/upsert", view(counted="store", POST=vectors.upsert)),
        path(f"{prefix}/batch-upsert", view(counted="store", POST=vectors.put_many)),
        path(f"{prefix}/batch", view(counted="store", POST=vectors.put_many)),
        path(f"{prefix}/search", view(counted="search", POST=vectors.search)),
        path(f"{prefix}/list", view(GET=vectors.list_or_get)),
        path(f"{prefix}/stats", view(GET=vectors.stats)),
        path(f"{prefix}/delete", view(DELETE=vectors.delete_by_body, POST=vectors.delete_by_body)),
        path(f"{prefix}/<str:vector_id>", view(GET=vectors.show, DELETE=vectors.delete_one)),
        path(f"{prefix}/<str:vector_id>/metadata", view(PATCH=vectors.change_metadata)),
    ]


_VECTORS = [
    *_vector_routes("<zerodb_scope:scope>database/vectors"),
    *_vector_routes("<zerodb_direct_or_header:scope>vectors", without_database=True, deprecated={Form.DIRECT}),
]
_MEMORY = [
    path("<zerodb_scope:scope>database/memory", endpoint(GET=memory.list_all, POST=memory.create)),
    path("<zerodb_scope:scope>database/memory/search", endpoint(counted="search", POST=memory.search)),
    path("<zerodb_scope:scope>database/memory/bulk", endpoint(counted="store", POST=memory.create_many)),
    path(
        "<zerodb_scope:scope>database/memory/<str:memory_id>",
        endpoint(GET=memory.show, PATCH=memory.change, DELETE=memory.delete),
    ),
    path("<zerodb_scope:scope>database/memory/<str:memory_id>/related", endpoint(GET=memory.related)),
]
# Never changed, and that is said whatever else is wrong.
_append_only = partial(
    endpoint, PUT=agent_memory.refuse_change, PATCH=agent_memory.refuse_change, DELETE=agent_memory.refuse_change
)
_AGENT_MEMORY = [
    path(
        "<zerodb_direct:scope>agent-memory",
        _append_only(GET=agent_memory.list_all, POST=agent_memory.create),
    ),
    path("<zerodb_direct:scope>agent-memory/<str:memory_id>", _append_only(GET=agent_memory.show)),
    path("<zerodb_direct:scope>agents", _append_only(GET=agent_memory.list_agents)),
    path("<zerodb_direct:scope>agents/<str:agent_id>", _append_only(GET=agent_memory.show_agent)),
    *[path(f"<zerodb_direct:scope>{kind}", _append_only()) for kind in ("compliance-events", "x402-requests")],
    *[
        path(f"<zerodb_direct:scope>{kind}/<path:below>", _append_only(guard=agent_memory.require_change))
        for kind in agent_memory.IMMUTABLE
    ],
    path("<zerodb_direct:scope>memory/remember", endpoint(counted="store", POST=cognition.remember)),
    path("<zerodb_direct:scope>memory/recall", endpoint(counted="search", POST=cognition.recall)),
    path("<zerodb_direct:scope>memory/reflect", endpoint(POST=cognition.reflect)),
    path("<zerodb_direct:scope>memory/profile/<str:agent_id>", endpoint(GET=cognition.profile)),
]
_FEEDBACK = [
    path("<zerodb_scope:scope>database/rlhf", endpoint(POST=feedback.create)),
    path("<zerodb_scope:scope>database/rlhf/stats", endpoint(GET=feedback.stats)),
]


def _table_routes(prefix: str) -> list[URLPattern]:
    table = f"{prefix}/<str:table>"
    return [
        path(prefix, endpoint(GET=tables.list_all, POST=tables.create)),
        path(table, endpoint(GET=tables.show, DELETE=tables.delete)),
        path(
            f"{table}/rows",
            endpoint(GET=rows.list_all, POST=rows.insert, PUT=rows.change, PATCH=rows.change, DELETE=rows.delete_many),
        ),
        path(f"{table}/query", endpoint(POST=rows.query)),
        path(
            f"{table}/rows/<str:row_id>",
            endpoint(GET=rows.show, PUT=rows.replace, PATCH=rows.merge, DELETE=rows.delete_one),
        ),
    ]


# Both forms are in use; the one without ``/database/`` reaches created projects only.
_TABLES = [
    *_table_routes("<zerodb_scope:scope>database/tables"),
    *_table_routes("<zerodb_direct:scope>tables"),
]
_EVENTS = [
    path("<zerodb_scope:scope>database/events", endpoint(GET=events.list_all, POST=events.create)),
    path("<zerodb_scope:scope>database/events/stats", endpoint(GET=events.stats)),
    path("<zerodb_scope:scope>database/events/<str:event_id>", endpoint(GET=events.show)),
]
_ANALYTICS = [
    path("<zerodb_scope:scope>database/analytics/usage", endpoint(GET=analytics.show_usage)),
    path("<zerodb_scope:scope>database/analytics/performance", endpoint(GET=analytics.show_performance)),
    path("<zerodb_scope:scope>database/analytics/storage", endpoint(GET=analytics.show_storage)),
    path("<zerodb_scope:scope>database/analytics/queries", endpoint(GET=analytics.show_queries)),
    path("<zerodb_scope:scope>database/analytics/costs", endpoint(GET=analytics.show_costs)),
    path("<zerodb_scope:scope>database/analytics/trends", endpoint(GET=analytics.show_trends)),
    path("<zerodb_scope:scope>database/analytics/anomalies", endpoint(GET=analytics.show_anomalies)),
    path("<zerodb_scope:scope>database/analytics/export", endpoint(POST=analytics.export)),
    path("analytics/spend", endpoint(GET=analytics.spend)),
    path("analytics/activity", endpoint(GET=analytics.agent_activity)),
    path("analytics/trends", endpoint(GET=analytics.trends)),
    path("analytics/health", endpoint(GET=analytics.health)),
]
_REMOTE = [
    path("zerodb/mcp/execute", endpoint(timed=True, POST=remote.execute)),
    path("zerodb/mcp/operations", endpoint(GET=remote.list_operations)),
]
_NOTHING_ELSE = [re_path(r"^(?P<path>.*)$", unknown_path)]

routes: list[URLPattern] = [
    *_OPEN,
    *_AUTH,
    *_PROJECTS,
    *_EMBEDDINGS,
    *_VECTORS,
    *_MEMORY,
    *_AGENT_MEMORY,
    *_FEEDBACK,
    *_TABLES,
    *_EVENTS,
    *_ANALYTICS,
    *_REMOTE,
    *_NOTHING_ELSE,
]
"""Everything below one base."""

# Without the version only vectors are served, and what tells that the server is there.
_root: list[URLPattern] = [
    *_OPEN,
    *_vector_routes("database/<zerodb_nothing:scope>vectors", deprecated={Form.HEADER}),
    *_NOTHING_ELSE,
]

BASES = ("v1/public", "api/v1/public", "api/v1", "v1")

urlpatterns: list[URLPattern | URLResolver] = [
    *[path(prefix, base) for prefix in BASES],  # before ``v1/``, below which ``public`` would be a path
    *[path(f"{prefix}/", include(routes)) for prefix in BASES],
    path("", include(_root)),
]
