"""What callers may ask of embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.integrations.zerodb.embedding import DEFAULT_MODEL, EmbeddingModel, UnknownModel, resolve_model
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import ApiError
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.metadata_filter import Condition, read_metadata_filter
from apps.integrations.zerodb.server.namespaces import read_namespace

MAXIMUM_TEXTS = 100
FILTER_NAMES = ("metadata_filter", "filter", "filters", "filter_metadata")


def read_model(fields: Fields) -> EmbeddingModel:
    """The embedding model of a request. Notes INVALID_MODEL."""
    try:
        return _named_model(fields.text("model"))
    except UnknownModel as error:
        fields.fail("model", str(error), code="INVALID_MODEL")
        return DEFAULT_MODEL


def _named_model(name: str | None) -> EmbeddingModel:
    """The default model where none is named; '' is a name that no model has. Raises UnknownModel."""
    if name == "":
        raise UnknownModel(name)
    return resolve_model(name)


def requested_model(fields: Fields) -> str:
    """The name that was sent, or the default's."""
    name = fields.raw("model")[1]
    return name if isinstance(name, str) and name else DEFAULT_MODEL.name


@dataclass(frozen=True)
class Generate:
    """``single`` is true for ``text``, which is answered with one vector."""

    texts: list[str]
    single: bool
    model: EmbeddingModel


def read_generate(call: Call) -> Generate:
    """``POST …/embeddings/generate`` and ``…/batch``. An unknown model is 404 here, 422 elsewhere."""
    body = call.body
    single = not body.has("texts")
    if single:
        text = body.text("text", required=True, blank=False, trim=True)
        texts = [text or ""]
    else:
        texts = body.texts("texts", minimum=1, maximum=MAXIMUM_TEXTS, blank=False) or []
    body.boolean("normalize", default=True)
    name = body.text("model")
    body.finish()
    try:
        return Generate(texts, single, _named_model(name))
    except UnknownModel as error:
        raise ApiError(404, "MODEL_NOT_FOUND", str(error)) from None


@dataclass(frozen=True)
class Compare:
    """Two texts to compare."""

    text1: str
    text2: str
    model: EmbeddingModel


def read_compare(call: Call) -> Compare:
    """``POST …/embeddings/compare``."""
    body = call.body
    text1 = body.text("text1", required=True, blank=False, trim=True)
    text2 = body.text("text2", required=True, blank=False, trim=True)
    model = read_model(body)
    body.finish()
    return Compare(text1 or "", text2 or "", model)


@dataclass(frozen=True)
class Item:
    """One text to embed and store; ``vector_id`` None asks for a generated one."""

    text: str
    vector_id: str | None
    metadata: dict[str, Any]


@dataclass(frozen=True)
class EmbedAndStore:
    """``single`` is true for ``text``, whose answer has some fields more."""

    items: list[Item]
    single: bool
    namespace: str
    model: EmbeddingModel
    upsert: bool
    include_details: bool


def read_embed_and_store(call: Call) -> EmbedAndStore:
    """``POST …/embeddings/embed-and-store`` in any of its four shapes."""
    body = call.body
    objects = False
    if body.has("documents"):
        items, objects = _documents(body)
    elif body.has("texts"):
        items = _list_of_texts(body, "texts")
    else:
        items = _one_text(body)
    wanted = EmbedAndStore(
        items=items,
        single=not body.has("documents", "texts"),
        namespace=read_namespace(body),
        model=read_model(body),
        # Callers that send objects re-index the same ids without saying so.
        upsert=body.boolean("upsert", default=objects),
        include_details=body.boolean("include_details", default=False),
    )
    body.finish()
    return wanted


def _one_text(body: Fields) -> list[Item]:
    text = body.text("text", required=True, blank=False)
    vector_id = body.text("vector_id", "id", blank=False, maximum=512)
    return [Item(text or "", vector_id, body.mapping("metadata") or {})]


def _list_of_texts(body: Fields, name: str) -> list[Item]:
    texts = body.texts(name, minimum=1, maximum=MAXIMUM_TEXTS, blank=False) or []
    ids = _ids(body, len(texts))
    return [
        Item(text, vector_id, metadata)
        for text, vector_id, metadata in zip(texts, ids, _metadata(body, len(texts)), strict=True)
    ]


def _ids(body: Fields, count: int) -> Sequence[str | None]:
    name, _ = body.raw("vector_ids", "ids")
    ids = body.texts("vector_ids", "ids", blank=False)
    if not ids:
        return [None] * count
    if len(ids) != count:
        body.fail(name, f"{name} has {len(ids)} items for {count} texts", "list_length")
        return [None] * count
    if any(len(vector_id) > 512 for vector_id in ids):
        body.fail(name, "An id should have at most 512 characters", "string_too_long")
    return ids


def _metadata(body: Fields, count: int) -> list[dict[str, Any]]:
    """One object per text: given as one for all, or as a list. An empty list means none."""
    name, value = body.raw("metadata_list", "metadata")
    if value is None or value == []:
        return [{} for _ in range(count)]
    if isinstance(value, dict):
        return [dict(value) for _ in range(count)]
    if not isinstance(value, list):
        body.fail(name, "Input should be a valid dictionary or list", "dict_type")
    elif len(value) != count:
        body.fail(name, f"{name} has {len(value)} items for {count} texts", "list_length")
    elif not all(item is None or isinstance(item, dict) for item in value):
        body.fail(name, "Each item should be a valid dictionary", "dict_type")
    else:
        return [item or {} for item in value]
    return [{} for _ in range(count)]


def _documents(body: Fields) -> tuple[list[Item], bool]:
    """Items, and whether they came as objects."""
    documents = body.items("documents", minimum=1, maximum=MAXIMUM_TEXTS) or []
    if not any(isinstance(document, dict) for document in documents):
        return _list_of_texts(body, "documents"), False
    return [_document(body, position, document) for position, document in enumerate(documents)], True


def _document(body: Fields, position: int, document: Any) -> Item:
    if isinstance(document, str):
        document = {"text": document}
    if not isinstance(document, dict):
        body.fail("documents", f"Item {position} should be a string or an object", "dict_type")
        return Item("", None, {})
    fields = Fields(document, ("body", "documents", position))
    item = Item(
        fields.text("text", "document", "content", required=True, blank=False) or "",
        fields.text("id", "vector_id", blank=False, maximum=512),
        fields.mapping("metadata") or {},
    )
    body.problems.extend(fields.problems)
    return item


@dataclass(frozen=True)
class SearchRequest:
    """A question in words."""

    query: str
    namespace: str
    model: EmbeddingModel
    top_k: int
    threshold: float
    conditions: list[Condition]
    include_metadata: bool
    include_embeddings: bool


def read_search(call: Call) -> SearchRequest:
    """``POST …/embeddings/search``."""
    body = call.body
    wanted = SearchRequest(
        query=body.text("query", required=True, blank=False, trim=True) or "",
        namespace=read_namespace(body),
        model=read_model(body),
        top_k=body.integer("top_k", "limit", default=10, minimum=1, maximum=100),
        threshold=body.number("similarity_threshold", "threshold", default=0.0, minimum=0.0, maximum=1.0),
        conditions=read_metadata_filter(body, *FILTER_NAMES),
        include_metadata=body.boolean("include_metadata", default=True),
        include_embeddings=body.boolean("include_embeddings", "include_values", "include_vectors", default=False),
    )
    body.finish()
    return wanted
