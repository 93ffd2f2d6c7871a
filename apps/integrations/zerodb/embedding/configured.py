"""Embedding models that the operator added by settings: one in a folder, one behind an address."""

from __future__ import annotations

import os
from collections.abc import Set
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from apps.integrations.models.zerodb_vector import VECTOR_DIMENSIONS
from apps.integrations.zerodb.embedding.engine import EmbeddingEngine, EmbeddingFailed, EmbeddingModel
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
    dimensions = _hidden_size(path) or 0
    name = name or path.name
    description = "Runs on this server, from a folder that its operator gave."
    return EmbeddingModel(name, dimensions, description, name, partial(_folder_engine, folder, dimensions))


@cache
def _folder_engine(folder: str, dimensions: int) -> EmbeddingEngine:
    path = Path(folder)
    weights = next((path / name for name in _WEIGHTS if (path / name).is_file()), path / _WEIGHTS[0])
    longest = int(_read(path, "sentence_bert_config.json").get("max_seq_length") or _MOST_TOKENS)
    return OnnxEngine(
        weights=ModelFile(weights),
        tokenizer=ModelFile(path / "tokenizer.json"),
        dimensions=dimensions,
        max_tokens=min(longest, _MOST_TOKENS),
        threads=min(4, os.cpu_count() or 1),
        first_token=bool(_read(path, "1_Pooling/config.json").get("pooling_mode_cls_token")),
    )


@cache
def _of_address(url: str, key: str, name: str, dimensions: int) -> EmbeddingModel:
    engine = OpenAIEngine(base_url=url, api_key=key, model=name, dimensions=dimensions)
    description = "Runs elsewhere: texts to embed are sent to the service that the operator of this server chose."
    return EmbeddingModel(name, dimensions, description, name, lambda: engine)


def _hidden_size(folder: Path) -> int | None:
    """How many numbers the model's vectors have, by its own config; None when that does not say."""
    value = _read(folder, "config.json").get("hidden_size")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _read(folder: Path, name: str) -> dict[str, Any]:
    """A file of JSON beside a model; {} when it is not there or is none."""
    try:
        value = orjson.loads((folder / name).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def fault_of_folder() -> str:
    """What is wrong with the files of EMBEDDING_MODEL_DIR, found by embedding a word; "" when it works."""
    folder = settings.EMBEDDING_MODEL_DIR
    try:
        _of_folder(folder, settings.EMBEDDING_MODEL_NAME).engine.embed(["word"])
    except EmbeddingFailed as failure:
        cause = f" {failure.__cause__}" if failure.__cause__ else ""
        return f"The model in EMBEDDING_MODEL_DIR ({folder}) can't be used: {failure}{cause}"
    return ""


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
        elif _hidden_size(Path(folder)) is None:
            faults.append(f"config.json in EMBEDDING_MODEL_DIR ({folder}) is no JSON object with a hidden_size.")
    url = settings.EMBEDDING_API_URL
    if url and not (url.startswith(("https://", "http://")) and urlsplit(url).hostname):
        faults.append(f"EMBEDDING_API_URL ({url}) is no address; it begins with https:// or http://.")
    if url and not settings.EMBEDDING_API_MODEL:
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
