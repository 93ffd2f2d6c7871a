"""``…/embeddings/…``: text in, vectors stored, found or handed out."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from apps.integrations.zerodb.embedding import EmbeddingModel
from apps.integrations.zerodb.server.answers import match_answer
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.embeddings import requests
from apps.integrations.zerodb.server.identifiers import new_vector_id
from apps.integrations.zerodb.server.scopes import ProjectReference
from apps.integrations.zerodb.server.store.nearest import similarity
from apps.integrations.zerodb.server.store.room import check_room
from apps.integrations.zerodb.server.store.vectors import NewVector, Search, Stored, search_vectors, store_vectors

PREVIEW_CHARACTERS = 50


def _models(call: Call, model: EmbeddingModel) -> dict[str, str]:
    """The model's name as it was asked for, and what really ran."""
    return {"model": requests.requested_model(call.body), "served_by": model.served_by}


def generate(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/embeddings/generate`` and ``…/batch``."""
    wanted = requests.read_generate(call)
    with call.project(scope):
        pass  # only to refuse a project that is not the caller's
    vectors = wanted.model.engine.embed(wanted.texts).tolist()
    answer: dict[str, Any] = {
        "embeddings": vectors,
        **_models(call, wanted.model),
        "dimensions": wanted.model.dimensions,
        "dimension": wanted.model.dimensions,
        "count": len(vectors),
        "cost_usd": 0.0,
    }
    if wanted.single:
        answer |= {"embedding": vectors[0], "text": wanted.texts[0]}
    return answer


def compare(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/embeddings/compare``."""
    wanted = requests.read_compare(call)
    with call.project(scope):
        pass  # only to refuse a project that is not the caller's
    first, second = wanted.model.engine.embed([wanted.text1, wanted.text2])
    return {
        "text1": wanted.text1,
        "text2": wanted.text2,
        "embedding1": first.tolist(),
        "embedding2": second.tolist(),
        "cosine_similarity": similarity(1.0 - float(first @ second)),
        **_models(call, wanted.model),
        "dimensions": wanted.model.dimensions,
    }


def embed_and_store(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/embeddings/embed-and-store``."""
    wanted = requests.read_embed_and_store(call)
    # Before the transaction begins: embedding a hundred texts takes longer than storing them.
    values = wanted.model.engine.embed([item.text for item in wanted.items])
    vectors = [
        NewVector(
            item.vector_id or (str(uuid4()) if wanted.single else new_vector_id()),
            numbers,
            item.text,
            item.metadata,
            wanted.model.served_by,
            requests.requested_model(call.body),
        )
        for item, numbers in zip(wanted.items, values, strict=True)
    ]
    with call.project(scope, writes=True) as project:
        stored = store_vectors(wanted.namespace, vectors, overwrite=wanted.upsert)
        check_room(project, wanted.namespace, stored)
    return _stored_answer(wanted, vectors, stored, _models(call, wanted.model))


def _stored_answer(
    wanted: requests.EmbedAndStore, vectors: list[NewVector], stored: list[Stored], models: dict[str, str]
) -> dict[str, Any]:
    created = [entry.created for entry in stored]
    ids = [vector.external_id for vector in vectors]
    status = ["inserted" if new else "updated" for new in created]
    answer: dict[str, Any] = {
        "success": True,
        "vectors_stored": len(vectors),
        "vectors_inserted": sum(created),
        "vectors_updated": len(created) - sum(created),
        "embeddings_generated": len(vectors),
        "stored_count": len(vectors),
        "stored": len(vectors),
        **models,
        "dimensions": wanted.model.dimensions,
        "namespace": wanted.namespace,
        "vector_ids": ids,
        "results": [
            {
                "vector_id": vector.external_id,
                "document": vector.document,
                "metadata": vector.metadata,
                "created": new.created,
            }
            for vector, new in zip(vectors, stored, strict=True)
        ],
        "documents": [
            {"id": vector_id, "status": word, "vector_length": wanted.model.dimensions}
            for vector_id, word in zip(ids, status, strict=True)
        ],
        "vectors": [
            {"id": vector_id, "vector_id": vector_id, "dimension": wanted.model.dimensions} for vector_id in ids
        ],
        "details": _details(vectors, status) if wanted.include_details else None,
    }
    if wanted.single:
        answer |= {
            "vector_id": ids[0],
            "text": vectors[0].document,
            "created": stored[0].created,
            "created_at": stored[0].created_at,
            "stored_at": stored[0].stored_at,
        }
    return answer


def _details(vectors: list[NewVector], status: list[str]) -> list[dict[str, Any]]:
    return [
        {"vector_id": vector.external_id, "text_preview": _preview(vector.document), "status": word}
        for vector, word in zip(vectors, status, strict=True)
    ]


def _preview(text: str) -> str:
    return text if len(text) <= PREVIEW_CHARACTERS else text[:PREVIEW_CHARACTERS] + "..."


def search(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``POST …/embeddings/search``."""
    wanted = requests.read_search(call)
    (values,) = wanted.model.engine.embed([wanted.query])
    with call.project(scope):
        matches = search_vectors(
            Search(wanted.namespace, values, wanted.top_k, wanted.threshold, wanted.conditions, wanted.model.served_by),
            with_values=wanted.include_embeddings,
        )
    results = [
        match_answer(match, with_metadata=wanted.include_metadata, with_values=wanted.include_embeddings)
        for match in matches
    ]
    return {
        "results": results,
        "query": wanted.query,
        **_models(call, wanted.model),
        "dimensions": wanted.model.dimensions,
        "namespace": wanted.namespace,
        "total_results": len(results),
        "total": len(results),
    }
