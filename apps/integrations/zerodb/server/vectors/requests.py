"""What callers may ask of vectors they bring themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from apps.integrations.models.zerodb_vector import VECTOR_DIMENSIONS
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import Problem, ValidationFailed
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.identifiers import new_vector_id
from apps.integrations.zerodb.server.metadata_filter import (
    Condition,
    InvalidMetadataFilter,
    parse_metadata_filter,
    read_metadata_filter,
)
from apps.integrations.zerodb.server.namespaces import read_namespace
from apps.integrations.zerodb.server.store.vectors import NewVector

MAXIMUM_BATCH = 1000
_ID = ("vector_id", "id")
_VALUES = ("vector_embedding", "embedding", "vector", "values")
_METADATA = ("metadata", "vector_metadata")
_SUPPORTED = ", ".join(str(length) for length in VECTOR_DIMENSIONS)
# Numbers are kept and compared in four bytes (up to 3.4e38), and a comparison adds up to 1,536 squares: a vector of
# larger numbers could be kept, but nothing would ever be like it.
_LARGEST = 1e17


def read_values(fields: Fields, *names: str, declared: int | None = None) -> list[float]:
    """A vector of a supported length. Notes DIMENSION_MISMATCH or VALIDATION_ERROR."""
    name, value = fields.raw(*names)
    if value is None:
        fields.fail(name, "Field required", "missing")
    elif not isinstance(value, list):
        fields.fail(name, "Input should be a valid list", "list_type")
    elif not value:
        fields.fail(name, f"{name} cannot be empty", "too_short")
    elif not all(type(number) in (int, float) and abs(number) <= _LARGEST for number in value):
        fields.fail(name, f"{name} must hold finite numbers only, from -1e17 to 1e17", "float_type")
    elif len(value) not in VECTOR_DIMENSIONS:
        fields.fail(
            name,
            f"Vector dimension {len(value)} is not supported. Supported dimensions: {_SUPPORTED}",
            code="DIMENSION_MISMATCH",
        )
    elif declared is not None and len(value) != declared:
        fields.fail(
            name,
            f"Dimension mismatch: dimensions says {declared} but the vector has {len(value)}. Supported: {_SUPPORTED}",
            code="DIMENSION_MISMATCH",
        )
    else:
        return value
    return []


def _declared(fields: Fields) -> int | None:
    """The length the caller says the vector has, when it says so."""
    name, value = fields.raw("dimensions", "dimension")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        fields.fail(name, "Input should be a valid integer", "int_type")
        return None
    if value not in VECTOR_DIMENSIONS:
        fields.fail(
            name, f"Dimension {value} is not supported. Supported dimensions: {_SUPPORTED}", code="DIMENSION_MISMATCH"
        )
        return None
    return value


def _vector(fields: Fields) -> NewVector:
    vector_id = fields.text(*_ID, blank=False, maximum=512)
    metadata = fields.mapping(*_METADATA) or {}
    document = fields.text("document", "text") or _text_in(metadata)
    values = read_values(fields, *_VALUES, declared=_declared(fields))
    return NewVector(vector_id or new_vector_id(), values, document, metadata)


def _text_in(metadata: dict[str, Any]) -> str:
    """Callers that send no document keep the text in the metadata."""
    for name in ("text", "content"):
        if isinstance(metadata.get(name), str):
            return metadata[name]
    return ""


@dataclass(frozen=True)
class Upsert:
    """``batch`` is true when the caller sent a list."""

    vectors: list[NewVector]
    namespace: str
    batch: bool


def read_upsert(call: Call) -> Upsert:
    """``POST V/upsert``: one vector with its document (form A), a list (form B), or one without document (form C)."""
    body = call.body
    if body.has("vectors", "items"):
        return _read_list(body)
    if body.has("vector_embedding"):
        body.text("document", required=True, blank=False)
    vector = _vector(body)
    namespace = read_namespace(body)
    body.finish()
    return Upsert([vector], namespace, batch=False)


def read_batch(call: Call) -> Upsert:
    """``POST V/batch-upsert {vectors}`` and ``PUT V {items}``."""
    return _read_list(call.body)


def _read_list(body: Fields) -> Upsert:
    name, _ = body.raw("vectors", "items")
    entries = body.items("vectors", "items", required=True, minimum=1, maximum=MAXIMUM_BATCH) or []
    vectors = []
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            body.fail(name, f"Item {position} should be an object", "dict_type")
            continue
        fields = Fields(entry, ("body", name, position))
        vectors.append(_vector(fields))
        body.problems.extend(fields.problems)
    namespace = read_namespace(body)
    body.finish()
    return Upsert(vectors, namespace, batch=True)


def read_index(call: Call) -> str:
    """The operation ``create_vector_index``: the namespace whose index is asked for."""
    body = call.body
    namespace = read_namespace(body)
    body.choice("index_type", options=("hnsw",))
    body.finish()
    return namespace


PACKED = "base64"
"""Vectors as little-endian 32-bit floats in base64: a fifth of the work on both sides. Ours alone: the contract knows
lists, and servers ignore fields that they do not know."""


@dataclass(frozen=True)
class VectorSearch:
    """A question as a vector. ``packed``: vectors in the answer are texts (PACKED)."""

    values: list[float]
    namespace: str
    top_k: int
    threshold: float
    conditions: list[Condition]
    include_metadata: bool
    include_values: bool
    include_score: bool
    packed: bool


def read_search(call: Call) -> VectorSearch:
    """``POST V/search``."""
    body = call.body
    top_k = body.integer("top_k", default=10, minimum=1, maximum=100)
    if not body.has("top_k"):
        top_k = body.integer("limit", default=10, minimum=1, maximum=1000)
    wanted = VectorSearch(
        values=read_values(body, "query_vector", "vector", "embedding", declared=_declared(body)),
        namespace=read_namespace(body),
        top_k=top_k,
        threshold=body.number("similarity_threshold", "threshold", default=0.0, minimum=0.0, maximum=1.0),
        conditions=read_metadata_filter(body, "metadata_filter", "filters", "filter", "filter_metadata"),
        include_metadata=body.boolean("include_metadata", default=True),
        include_values=body.boolean("include_embeddings", "include_vectors", "include_values", default=False),
        include_score=body.boolean("include_similarity_score", default=True),
        packed=body.choice("vector_encoding", options=("float", PACKED)) == PACKED,
    )
    body.finish()
    return wanted


@dataclass(frozen=True)
class VectorList:
    """Which vectors to list; ``ids`` None lists all."""

    namespace: str
    limit: int
    offset: int
    ids: list[str] | None
    conditions: list[Condition]
    include_values: bool


def read_list(call: Call) -> VectorList:
    """``GET V``."""
    query = call.query
    ids = query.text("ids")
    wanted = VectorList(
        namespace=read_namespace(query),
        limit=query.integer("limit", default=100, minimum=1, maximum=1000),
        offset=query.integer("offset", default=0, minimum=0),
        ids=[part for part in ids.split(",") if part] if ids else None,
        conditions=_filter_in_query(query),
        include_values=query.boolean("include_values", "include_vector", "include_vectors", default=False),
    )
    query.finish()
    return wanted


def _filter_in_query(query: Fields) -> list[Condition]:
    name, text = query.raw("filters", "filter", "metadata_filter")
    if text is None:
        return []
    try:
        return parse_metadata_filter(orjson.loads(text))
    except orjson.JSONDecodeError:
        query.fail(name, "Input should be JSON", "json_invalid")
    except InvalidMetadataFilter as error:
        query.fail(name, str(error), code="INVALID_METADATA_FILTER")
    return []


@dataclass(frozen=True)
class OneVector:
    """A vector to remove, by id."""

    vector_id: str
    namespace: str


def read_delete_one(call: Call) -> OneVector:
    """``DELETE V/delete`` and ``POST V/delete`` with a body."""
    body = call.body
    vector_id = body.text("id", "vector_id", required=True, blank=False)
    namespace = read_namespace(body)
    body.finish()
    return OneVector(vector_id or "", namespace)


@dataclass(frozen=True)
class DeleteMany:
    """Vectors to remove: by ``ids``, by ``conditions``, or all of the namespace (both None)."""

    namespace: str
    ids: Sequence[str] | None
    conditions: list[Condition]


def read_delete_many(call: Call) -> DeleteMany:
    """``DELETE V {ids | filter | delete_all, namespace}``."""
    body = call.body
    ids = body.texts("ids", maximum=MAXIMUM_BATCH)
    conditions = read_metadata_filter(body, "filter", "filters", "metadata_filter")
    everything = body.boolean("delete_all", default=False)
    namespace = read_namespace(body)
    body.finish()
    if ids is None and not conditions and not everything:
        raise ValidationFailed([Problem(("body", "ids"), "Give ids, a filter, or delete_all", "missing")])
    return DeleteMany(namespace, None if everything else ids, [] if everything else conditions)
