"""What anybody may ask: what this is, whether it is well, and which models it serves."""

from __future__ import annotations

from typing import Any

from apps.integrations.zerodb.embedding import (
    DEFAULT_MODEL,
    EmbeddingModel,
    UnknownModel,
    accepted_models,
    resolve_model,
)
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import ApiError

NAME, VERSION = "Strongroom embedded ZeroDB", "1.0.0"


def root(call: Call) -> dict[str, Any]:
    """``GET /``."""
    return {"name": NAME, "version": VERSION, "health": "/health", "docs": "/docs"}


def health(call: Call) -> dict[str, Any]:
    """``GET /health``."""
    return {"status": "healthy", "service": NAME, "version": VERSION}


def list_models(call: Call) -> list[dict[str, Any]]:
    """``GET /embeddings/models``: every name that is accepted, the default first."""
    return [model_answer(model) for model in accepted_models()]


def show_model(call: Call, name: str) -> dict[str, Any]:
    """``GET /embeddings/models/{name}``."""
    try:
        return model_answer(resolve_model(name))
    except UnknownModel as error:
        raise ApiError(404, "MODEL_NOT_FOUND", str(error)) from None


def models_with_default(call: Call) -> dict[str, Any]:
    """The operation ``list_embedding_models``: the same list, with the default's name beside it."""
    models = list_models(call)
    return {"models": models, "default_model": DEFAULT_MODEL.name, "total_models": len(models)}


def embedding_health(call: Call) -> dict[str, Any]:
    """The operation ``embedding_health_check``: embeds a word."""
    dimensions = DEFAULT_MODEL.engine.embed(["health"]).shape[1]
    return {
        "status": "healthy",
        "embedding_service": {"status": "running", "model_loaded": DEFAULT_MODEL.engine.loaded},
        "model": DEFAULT_MODEL.name,
        "dimensions": dimensions,
        "cost_per_embedding": 0.0,
    }


def model_answer(model: EmbeddingModel) -> dict[str, Any]:
    """One model as the API shows it; ``served_by`` is what really runs."""
    return {
        "id": model.name,
        "name": model.name,
        "dimensions": model.dimensions,
        "description": model.description,
        "is_default": model is DEFAULT_MODEL,
        "served_by": model.served_by,
        "loaded": model.engine.loaded,
        "speed": "fast",
        "cost_per_1k": 0.0,
    }
