"""Sentence embeddings from an ONNX encoder: tokenise, run, mean-pool, normalise to length 1."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from apps.integrations.zerodb.embedding.engine import EmbeddingFailed, ModelFileDamaged, Vectors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

logger = logging.getLogger(__name__)

# One batch holds at most this many tokens (padding included): attention needs memory in
# texts x length^2, and long texts gain nothing from company (measured, performance.md section 7).
BATCH_TOKENS = 4096
BATCH_TEXTS = 32


@dataclass(frozen=True)
class ModelFile:
    """A file and the SHA-256 it had when it was tested; None for a file that an operator brought."""

    path: Path
    sha256: str | None = None

    def verified_bytes(self) -> bytes:
        """The content. Raises ModelFileDamaged when absent or changed."""
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ModelFileDamaged(f"its file {self.path.name} cannot be read.") from error
        if self.sha256 is not None and hashlib.sha256(content).hexdigest() != self.sha256:
            raise ModelFileDamaged(f"its file {self.path.name} is not the one expected.")
        return content

    def for_session(self) -> bytes | str:
        """What a session loads: by its path what an operator brought, since it may keep numbers in files beside it."""
        return self.verified_bytes() if self.sha256 is not None else str(self.path)

    @contextmanager
    def used(self) -> Iterator[None]:
        """What the libraries say of the file inside, which has no kind of its own, as ModelFileDamaged."""
        try:
            yield
        except EmbeddingFailed:
            raise
        except Exception as error:
            logger.warning("The file %s of an embedding model can't be used: %s", self.path, error)
            raise ModelFileDamaged(f"its file {self.path.name} can't be used.") from error


class OnnxEngine:
    """Loads its model on the first call and keeps it for the life of the process."""

    def __init__(
        self,
        *,
        weights: ModelFile,
        tokenizer: ModelFile,
        dimensions: int,
        max_tokens: int,
        threads: int,
        first_token: bool = False,
    ) -> None:
        """``first_token``: a text's vector is that of its first token, not the mean of all."""
        self._weights = weights
        self._tokenizer = tokenizer
        self._dimensions = dimensions
        self._max_tokens = max_tokens
        self._threads = threads
        self._first_token = first_token
        self._lock = threading.Lock()
        self._ready: tuple[int, Tokenizer, InferenceSession] | None = None

    @property
    def loaded(self) -> bool:
        return self._ready is not None and self._ready[0] == os.getpid()

    def embed(self, texts: Sequence[str]) -> Vectors:
        tokenizer, session = self._load()
        encodings = tokenizer.encode_batch(list(texts))
        vectors: list[Vectors | None] = [None] * len(encodings)
        for batch in _batches(encodings):
            with self._weights.used():
                hidden, mask = _run(session, [encodings[position] for position in batch])
            if hidden.ndim != 3 or hidden.shape[2] != self._dimensions:
                name, shape = self._weights.path.name, list(hidden.shape[1:])
                raise ModelFileDamaged(f"its file {name} gives {shape} for a text, not tokens × {self._dimensions}.")
            pooled = _pooled(hidden, mask, self._first_token)
            for position, vector in zip(batch, pooled, strict=True):
                vectors[position] = vector
        return np.asarray(vectors, dtype=np.float32)

    def _load(self) -> tuple[Tokenizer, InferenceSession]:
        with self._lock:
            # A session's threads do not survive fork, so a forked worker loads its own.
            if self._ready is None or self._ready[0] != os.getpid():
                self._ready = (os.getpid(), self._load_tokenizer(), self._load_session())
            return self._ready[1:]

    def _load_tokenizer(self) -> Tokenizer:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        with self._tokenizer.used():
            tokenizer = Tokenizer.from_buffer(self._tokenizer.verified_bytes())
        # The file itself asks for 128 tokens, cut and padded: half the text lost, most work wasted.
        tokenizer.enable_truncation(self._max_tokens)
        tokenizer.no_padding()
        return tokenizer

    def _load_session(self) -> InferenceSession:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        # Its threads else go on turning for milliseconds in wait of more: 20 ms of processor for a query that needs 6.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        with self._weights.used():
            return InferenceSession(self._weights.for_session(), options, providers=["CPUExecutionProvider"])


def _batches(encodings: Sequence[Encoding]) -> Iterator[list[int]]:
    """Positions of the texts, shortest first, in groups that fit BATCH_TEXTS and BATCH_TOKENS."""
    batch: list[int] = []
    for position in sorted(range(len(encodings)), key=lambda p: len(encodings[p].ids)):
        length = len(encodings[position].ids)
        if batch and (len(batch) == BATCH_TEXTS or length * (len(batch) + 1) > BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _run(session: InferenceSession, encodings: Sequence[Encoding]) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """The states of all tokens, (texts, longest, dimensions), and which of them are tokens, (texts, longest)."""
    longest = max(len(encoding.ids) for encoding in encodings)
    ids = np.zeros((len(encodings), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
    given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    # Some models have no token types.
    wanted = {wanted.name: given[wanted.name] for wanted in session.get_inputs()}
    return session.run(None, wanted)[0], mask


def _pooled(hidden: Vectors, mask: npt.NDArray[np.int64], first_token: bool) -> Vectors:
    if first_token:
        pooled: Vectors = hidden[:, 0]
    else:
        weights = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
