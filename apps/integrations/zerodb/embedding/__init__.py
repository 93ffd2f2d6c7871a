"""Text to vectors, on this machine: which models are served and the engine that runs them."""

from apps.integrations.zerodb.embedding.engine import EmbeddingEngine, ModelFileDamaged
from apps.integrations.zerodb.embedding.registry import (
    DEFAULT_MODEL,
    EmbeddingModel,
    UnknownModel,
    accepted_models,
    resolve_model,
)

__all__ = [
    "DEFAULT_MODEL",
    "EmbeddingEngine",
    "EmbeddingModel",
    "ModelFileDamaged",
    "UnknownModel",
    "accepted_models",
    "resolve_model",
]
