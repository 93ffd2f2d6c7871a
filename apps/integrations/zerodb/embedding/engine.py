"""What an embedding engine promises, whatever runs behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class EmbeddingFailed(RuntimeError):
    """The model could not be asked, or gave what can't be used.

    The message ends a sentence for people, after a colon; it holds no secret, nor where the model runs.
    ``retry_after``: seconds it asked us to wait.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelFileDamaged(EmbeddingFailed):
    """A model file is missing, is not the file that was tested, or can't be run."""


class EmbeddingEngine(Protocol):
    """Turns texts into vectors. Safe to call from several threads at once."""

    @property
    def loaded(self) -> bool:
        """True when the model is in memory, so that a call costs no load."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dimensions), float32, in the order of ``texts``.

        The same text gives the same vector, whatever else is in the call.
        Raises ModelFileDamaged when the model cannot be loaded, EmbeddingFailed when it is elsewhere and does not
        answer.
        """
        ...


@dataclass(frozen=True)
class EmbeddingModel:
    """A name a request may use, and the model that answers to it.

    ``same_matter``: the cosine from which two texts are about the same matter, by what was measured with this model;
    None where nobody has. Models differ widely: what is far apart for one is 0.1, for another 0.7.
    """

    name: str
    dimensions: int
    description: str
    served_by: str
    open_engine: Callable[[], EmbeddingEngine]
    same_matter: float | None = None

    @property
    def engine(self) -> EmbeddingEngine:
        return self.open_engine()
