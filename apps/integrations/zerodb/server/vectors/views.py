"""``…/database/vectors…``: vectors that callers bring themselves."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from apps.integrations.zerodb.server.answers import SCORE_NAMES, match_answer, vector_answer
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import ApiError, vector_not_found
from apps.integrations.zerodb.server.namespaces import read_namespace
from apps.integrations.zerodb.server.scopes import Form, ProjectReference
from apps.integrations.zerodb.server.store import vectors as store
from apps.integrations.zerodb.server.store.room import check_room
from apps.integrations.zerodb.server.vectors import requests


def upsert(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST V/upsert``."""
    wanted = requests.read_upsert(call)
    with call.project(scope, writes=True) as project:
        stored = store.store_vectors(wanted.namespace, wanted.vectors, overwrite=True)
        check_room(project, wanted.namespace, stored)
    if wanted.batch:
        return {
            "upserted_count": len(stored),
            "namespace": wanted.namespace,
            "vectors": [
                {"id": entry.external_id, "status": _status(entry), "dimensions": len(vector.values)}
                for entry, vector in zip(stored, wanted.vectors, strict=True)
            ],
        }
    (entry,), (vector,) = stored, wanted.vectors
    return {
        "id": entry.external_id,
        "vector_id": entry.external_id,
        "dimension": len(vector.values),
        "dimensions": len(vector.values),
        "namespace": wanted.namespace,
        "metadata": vector.metadata,
        "document": vector.document,
        "created": entry.created,
        "status": _status(entry),
        "created_at": entry.created_at,
        "stored_at": entry.stored_at,
    }


def _status(entry: store.Stored) -> str:
    return "created" if entry.created else "updated"


def put_many(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``PUT V {items}`` and ``POST V/batch-upsert {vectors}``: all or nothing."""
    wanted = requests.read_batch(call)
    with call.project(scope, writes=True) as project:
        stored = store.store_vectors(wanted.namespace, wanted.vectors, overwrite=True)
        check_room(project, wanted.namespace, stored)
    inserted = sum(entry.created for entry in stored)
    return {
        "upserted_count": len(stored),
        "inserted": inserted,
        "updated": len(stored) - inserted,
        "ids": [entry.external_id for entry in stored],
        "namespace": wanted.namespace,
        "total": len(stored),
        "successful": len(stored),
        "failed": 0,
        "errors": [],
    }


def make_index(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """The operation ``create_vector_index``. Every vector is in an index from the moment it is stored."""
    namespace = requests.read_index(call)
    with call.project(scope, writes=True):
        pass  # only to refuse a project that is not the caller's, or suspended
    return {"status": "success", "index_type": "hnsw", "namespace": namespace}


def search(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST V/search``."""
    wanted = requests.read_search(call)
    with call.project(scope):
        matches = store.search_vectors(
            store.Search(wanted.namespace, wanted.values, wanted.top_k, wanted.threshold, wanted.conditions),
            with_values=wanted.include_values,
        )
    results = []
    for match in matches:
        item = match_answer(match, with_metadata=wanted.include_metadata, with_values=wanted.include_values)
        if not wanted.include_score:
            for name in SCORE_NAMES:
                del item[name]
        if wanted.include_values and wanted.packed:
            item["vector"] = b64encode(item.pop("embedding").astype("<f4").tobytes()).decode()
        elif wanted.include_values:
            item["vector"] = item["values"] = item["embedding"]
        results.append(item)
    return {
        "results": results,
        "count": len(results),
        "total": len(results),
        "total_results": len(results),
        "namespace": wanted.namespace,
        "dimensions": len(wanted.values),
    }


def list_or_get(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET V``: a page, or with ``ids`` those vectors."""
    wanted = requests.read_list(call)
    with call.project(scope):
        if wanted.ids is not None:
            found = store.get_vectors(wanted.namespace, wanted.ids, with_values=wanted.include_values)
            answers = [vector_answer(vector, with_values=wanted.include_values) for vector in found]
            return {"vectors": answers, "total": len(answers), "namespace": wanted.namespace}
        page, total = store.list_vectors(
            wanted.namespace, limit=wanted.limit, offset=wanted.offset, conditions=wanted.conditions
        )
    return {
        "vectors": [vector_answer(vector) for vector in page],
        "total": total,
        "limit": wanted.limit,
        "offset": wanted.offset,
        "namespace": wanted.namespace,
    }


def delete_many(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``DELETE V {ids | filter | delete_all}``."""
    wanted = requests.read_delete_many(call)
    with call.project(scope, writes=True):
        if wanted.ids is not None:
            deleted = store.delete_vectors(wanted.namespace, wanted.ids)
        else:
            deleted = store.delete_matching(wanted.namespace, wanted.conditions)
    return {"deleted_count": deleted, "namespace": wanted.namespace}


def show(call: Call, scope: ProjectReference, vector_id: str) -> dict[str, Any]:
    """``GET V/{id}``; with no project in the path also ``GET V/{namespace}``, an older form."""
    query = call.query
    namespace = read_namespace(query)
    with_values = query.boolean("include_vector", "include_values", "include_vectors", default=False)
    query.finish()
    with call.project(scope):
        try:
            return vector_answer(
                store.get_vector(namespace, vector_id, with_values=with_values), with_values=with_values
            )
        except ApiError:
            if scope.form is not Form.HEADER or query.has("namespace"):
                raise
        page, total = store.list_vectors(vector_id, limit=100, offset=0)
    return {"vectors": [vector_answer(vector) for vector in page], "namespace": vector_id, "total": total}


def delete_one(call: Call, scope: ProjectReference, vector_id: str) -> dict[str, Any]:
    """``DELETE V/{id}``."""
    query = call.query
    namespace = read_namespace(query)
    query.finish()
    return _delete(call, scope, requests.OneVector(vector_id, namespace))


def delete_by_body(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``DELETE V/delete`` and ``POST V/delete``."""
    return _delete(call, scope, requests.read_delete_one(call))


def _delete(call: Call, scope: ProjectReference, wanted: requests.OneVector) -> dict[str, Any]:
    with call.project(scope, writes=True):
        if not store.delete_vectors(wanted.namespace, [wanted.vector_id]):
            raise vector_not_found(wanted.vector_id, wanted.namespace)
    return {
        "message": f"Vector '{wanted.vector_id}' deleted",
        "id": wanted.vector_id,
        "vector_id": wanted.vector_id,
        "namespace": wanted.namespace,
        "deleted": True,
    }


def change_metadata(call: Call, scope: ProjectReference, vector_id: str) -> dict[str, Any]:
    """``PATCH V/{id}/metadata``; the namespace stands in the body or, as with its neighbours, in the query."""
    body, query = call.body, call.query
    metadata = body.mapping("metadata", required=True) or {}
    namespace = read_namespace(body if body.has("namespace") else query)
    body.finish()
    query.finish()
    with call.project(scope, writes=True):
        return vector_answer(store.replace_metadata(namespace, vector_id, metadata))


def stats(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET V/stats``, of all namespaces unless one is named."""
    query = call.query
    namespace = read_namespace(query) if query.has("namespace") else None
    query.finish()
    with call.project(scope):
        numbers = store.statistics(namespace)
    return numbers | {"count": numbers["total_vectors"]}
