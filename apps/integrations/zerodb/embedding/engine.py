"""What an embedding engine promises, whatever runs behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class ModelFileDamaged(RuntimeError):
    """A model file is missing or is not the file that was tested."""


class EmbeddingEngine(Protocol):
    """Turns texts into vectors. Safe to call from several threads at once."""

    @property
    def loaded(self) -> bool:
        """True when the model is in memory, so that a call costs no load."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dimensions), float32, in the order of ``texts``.

        The same text gives the same vector, whatever else is in the call.
        Raises ModelFileDamaged when the model cannot be loaded.
        """
        ...
