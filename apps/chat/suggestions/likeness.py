"""From which cosine on two texts are about the same matter: a number of the model that made their vectors.

What the account chose counts; else what was measured with the model; else it is told from the account's own canned
responses. They are about many matters, so the mean of their likeness to each other is how alike *unlike* texts are for
this model (0.2 for MiniLM, 0.7 and more for others), and two of the same matter are well above it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.conf import settings

from apps.chat.suggestions.ranking import THRESHOLD, Vector
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.embedding import UnknownModel, resolve_model

USUAL = THRESHOLD
"""While there is too little to tell it from."""
ENOUGH = 8
"""Canned responses that tell something."""
ABOVE = 0.27
"""How far it is from unlike (0) to the same (1): where MiniLM's measured 0.4 lies among the 100 labelled replies."""


def same_matter(model: str, replies: Sequence[Vector]) -> float:
    """For texts embedded by ``model`` in the account in scope; ``replies``: its canned responses by that model."""
    chosen = (AINativeProject.objects.values_list("settings", flat=True).first() or {}).get("same_matter_from")
    if chosen is not None:
        return float(chosen)
    measured = measured_for(model)
    return told_from(replies) if measured is None else measured


def measured_for(model: str) -> float | None:
    """What was measured with the model behind this name; None when nobody knows what that is.

    The embedded server answers to names of models that it does not have; elsewhere a name means what it says.
    """
    try:
        known = resolve_model(model)
    except UnknownModel:
        return None
    return known.same_matter if not settings.ZERODB_API_URL or known.served_by == known.name else None


def told_from(replies: Sequence[Vector]) -> float:
    """ABOVE the mean likeness of these to each other; USUAL while they are fewer than ENOUGH."""
    if len(replies) < ENOUGH:
        return USUAL
    vectors = np.asarray(replies, dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    whole = vectors.sum(axis=0)
    number = len(vectors)
    unlike = (float(whole @ whole) - number) / (number * (number - 1))
    return min(1.0, max(0.0, unlike + ABOVE * (1 - unlike)))
