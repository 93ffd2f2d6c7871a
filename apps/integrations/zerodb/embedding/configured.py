"""Embedding models that the operator added by settings: one in a folder, one behind an address."""

from __future__ import annotations

import os
from collections.abc import Set
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from apps.integrations.models.zerodb_vector import VECTOR_DIMENSIONS
from apps.integrations.zerodb.embedding.engine import EmbeddingEngine, EmbeddingModel
from apps.integrations.zerodb.embedding.onnx_engine import ModelFile, OnnxEngine
from apps.integrations.zerodb.embedding.openai_engine import OpenAIEngine

_WEIGHTS = ("model.onnx", "onnx/model.onnx")
_MOST_TOKENS = 512


def configured_models() -> list[EmbeddingModel]:
    """The operator's models; [] when there are none."""
    found = []
    if settings.EMBEDDING_MODEL_DIR:
        found.append(_of_folder(settings.EMBEDDING_MODEL_DIR, settings.EMBEDDING_MODEL_NAME))
    if settings.EMBEDDING_API_URL:
        key, name = settings.EMBEDDING_API_KEY, settings.EMBEDDING_API_MODEL
        found.append(_of_address(settings.EMBEDDING_API_URL, key, name, settings.EMBEDDING_API_DIMENSIONS))
    return found


@cache
def _of_folder(folder: str, name: str) -> EmbeddingModel:
    path = Path(folder)
    dimensions = int(_read(path, "config.json").get("hidden_size", 0))
    name = name or path.name
    description = "Runs on this server, from a folder that its operator gave."
    return EmbeddingModel(name, dimensions, description, name, partial(_folder_engine, folder))


@cache
def _folder_engine(folder: str) -> EmbeddingEngine:
    path = Path(folder)
    weights = next((path / name for name in _WEIGHTS if (path / name).is_file()), path / _WEIGHTS[0])
    longest = int(_read(path, "sentence_bert_config.json").get("max_seq_length") or _MOST_TOKENS)
    return OnnxEngine(
        weights=ModelFile(weights),
        tokenizer=ModelFile(path / "tokenizer.json"),
        max_tokens=min(longest, _MOST_TOKENS),
        threads=min(4, os.cpu_count() or 1),
        first_token=bool(_read(path, "1_Pooling/config.json").get("pooling_mode_cls_token")),
    )


@cache
def _of_address(url: str, key: str, name: str, dimensions: int) -> EmbeddingModel:
    engine = OpenAIEngine(base_url=url, api_key=key, model=name, dimensions=dimensions)
    description = "Runs elsewhere: texts to embed are sent to the service that the operator of this server chose."
    return EmbeddingModel(name, dimensions, description, name, lambda: engine)


def _read(folder: Path, name: str) -> dict[str, Any]:
    """A file of JSON beside a model; {} when it is not there or is none."""
    try:
        value = orjson.loads((folder / name).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def faults_of_settings(taken: Set[str]) -> list[str]:
    """What is wrong with the settings, in words; ``taken`` are names that are not free."""
    faults = []
    folder = settings.EMBEDDING_MODEL_DIR
    if folder:
        missing = [name for name in ("tokenizer.json", "config.json") if not (Path(folder) / name).is_file()]
        if not any((Path(folder) / name).is_file() for name in _WEIGHTS):
            missing.insert(0, _WEIGHTS[0])
        if missing:
            faults.append(f"EMBEDDING_MODEL_DIR ({folder}) has no {', '.join(missing)}.")
    if settings.EMBEDDING_API_URL and not settings.EMBEDDING_API_MODEL:
        faults.append("EMBEDDING_API_URL is set without EMBEDDING_API_MODEL, the name of the model there.")
    lengths = ", ".join(map(str, VECTOR_DIMENSIONS))
    names = set(taken)
    for model in configured_models() if not faults else ():
        if model.dimensions not in VECTOR_DIMENSIONS:
            faults.append(f"Vectors of the model {model.name} have {model.dimensions} numbers; possible are {lengths}.")
        if model.name in names:
            faults.append(f"The embedding model's name {model.name} is taken: choose another.")
        names.add(model.name)
    return faults
