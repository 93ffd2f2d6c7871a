"""Embeddings from an address that speaks OpenAI's protocol (``POST {base}/embeddings``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson

from apps.integrations.outbound.errors import OutboundError
from apps.integrations.outbound.http import Answer, HttpClient
from apps.integrations.zerodb.embedding.engine import EmbeddingFailed, Vectors

TEXTS_PER_CALL = 100


class _Refused(OutboundError):
    """The service answered with an error. Its words stay out: they may repeat the texts or the key."""


def _judge(answer: Answer) -> OutboundError | None:
    if answer.status == 200:
        return None
    return _Refused(f"The embedding service answered {answer.status}.")


class OpenAIEngine:
    """One model of one service. The address is the operator's own: it may be on a private network."""

    def __init__(self, *, base_url: str, api_key: str, model: str, dimensions: int) -> None:
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._model = model
        self._dimensions = dimensions

    @property
    def loaded(self) -> bool:
        """Always: nothing has to be loaded here."""
        return True

    def embed(self, texts: Sequence[str]) -> Vectors:
        parts = [self._ask(texts[start : start + TEXTS_PER_CALL]) for start in range(0, len(texts), TEXTS_PER_CALL)]
        return np.concatenate(parts) if parts else np.empty((0, self._dimensions), dtype=np.float32)

    def _ask(self, texts: Sequence[str]) -> Vectors:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        try:
            with HttpClient(self._base_url, headers=self._headers, judge=_judge, operators_address=True) as client:
                answer = client.call("POST", "embeddings", repeatable=True, json=body)
        except OutboundError as error:
            raise EmbeddingFailed(str(error)) from None
        return self._read(answer.content, len(texts))

    def _read(self, content: bytes, count: int) -> Vectors:
        try:
            entries = sorted(orjson.loads(content)["data"], key=lambda entry: entry["index"])
            vectors = np.asarray([entry["embedding"] for entry in entries], dtype=np.float32)
        except (ValueError, TypeError, KeyError):
            raise EmbeddingFailed("The embedding service gave an answer that can't be read.") from None
        if vectors.shape != (count, self._dimensions):
            raise EmbeddingFailed(
                f"The embedding service gave vectors of the shape {vectors.shape}, not {(count, self._dimensions)}."
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EmbeddingFailed("The embedding service gave a vector without a direction.")
        return vectors / lengths
