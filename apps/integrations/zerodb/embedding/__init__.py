"""Text to vectors, on this machine: which models are served and the engine that runs them."""

from apps.integrations.zerodb.embedding.engine import EmbeddingEngine, EmbeddingFailed, EmbeddingModel, ModelFileDamaged
from apps.integrations.zerodb.embedding.registry import (
    DEFAULT_MODEL,
    UnknownModel,
    accepted_models,
    resolve_model,
)

__all__ = [
    "DEFAULT_MODEL",
    "EmbeddingEngine",
    "EmbeddingFailed",
    "EmbeddingModel",
    "ModelFileDamaged",
    "UnknownModel",
    "accepted_models",
    "resolve_model",
]
