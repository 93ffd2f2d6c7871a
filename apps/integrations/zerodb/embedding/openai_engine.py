"""Embeddings from an address that speaks OpenAI's protocol (``POST {base}/embeddings``)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import numpy as np
import orjson

from apps.integrations.outbound.backoff import read_retry_after
from apps.integrations.outbound.deadline import within_reach
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.outbound.http import Answer, HttpClient
from apps.integrations.zerodb.embedding.engine import EmbeddingFailed, Vectors

TEXTS_PER_CALL = 100
LONGEST = 30.0
"""Seconds for one call, from connecting to the last byte."""
_UNREADABLE = "its service gave an answer that can't be read."


class _Refused(OutboundError):
    """The service answered with an error. Its words stay out: they may repeat the texts or the key."""

    words = "{who} {detail}"


def _judge(answer: Answer) -> OutboundError | None:
    if answer.status == 200:
        return None
    what = {401: "refuses the key of this installation", 403: "refuses the key of this installation"}
    what |= {404: "knows no such model or address", 429: "takes no more calls for now"}
    words = what.get(answer.status, "has trouble of its own" if answer.status >= 500 else "refuses the call")
    after = read_retry_after(answer.headers.get("retry-after"))
    detail = f"{words} ({answer.status})."
    return _Refused.about("its service", f"answered {answer.status}", retry_after=after, detail=detail)


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
            # Asked once: whoever asks this server asks again, and no longer than that one waits.
            with HttpClient(
                self._base_url,
                headers=self._headers,
                judge=_judge,
                operators_address=True,
                attempts=1,
                patience=within_reach(LONGEST),
            ) as client:
                answer = client.call("POST", "embeddings", repeatable=True, json=body)
        except OutboundError as error:
            raise EmbeddingFailed(self._for_people(error), retry_after=error.retry_after) from None
        return self._read(answer.content, len(texts))

    def _for_people(self, error: OutboundError) -> str:
        """Its words, without the address: that is the operator's alone."""
        address = urlsplit(self._base_url)
        words = str(error)
        for name in (address.netloc, address.hostname):
            words = words.replace(name, "its service") if name else words
        return words

    def _read(self, content: bytes, count: int) -> Vectors:
        try:
            entries = sorted(orjson.loads(content)["data"], key=lambda entry: entry["index"])
            positions = [entry["index"] for entry in entries]
            vectors = np.asarray([entry["embedding"] for entry in entries], dtype=np.float32)
        except (ValueError, TypeError, KeyError):
            raise EmbeddingFailed(_UNREADABLE) from None
        if len(entries) != count or positions != list(range(count)):
            raise EmbeddingFailed(f"its service gave {len(entries)} vectors for {count} texts, or not one for each.")
        if vectors.shape != (count, self._dimensions):
            given = vectors.shape[1] if vectors.ndim == 2 else 0
            raise EmbeddingFailed(f"its service gave vectors of {given} numbers instead of {self._dimensions}.")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EmbeddingFailed("its service gave a vector without a direction.")
        return vectors / lengths
