"""How much a memory matters, what it is about, how well it answers. All by rule: the same input, the same number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.integrations.models import ZeroAgentMemory

Kind = ZeroAgentMemory.CognitiveKind
NEUTRAL = 0.5
"""The importance of an entry that says nothing of it."""

# Lasting knowledge begins higher than what is only of the moment.
_BASE = {Kind.WORKING: 0.3, Kind.EPISODIC: 0.5, Kind.SEMANTIC: 0.55, Kind.PROCEDURAL: 0.7}
_LONGEST_BONUS, _CHARACTERS_PER_POINT, _URGENT_BONUS = 0.2, 2500.0, 0.2
_URGENT = {"critical", "urgent", "high", "p0", "p1", "important", "priority"}

CATEGORIES = ("decision", "observation", "knowledge", "plan", "interaction", "error", "other")
# The first that matches counts: "an error while approving" is an error.
_RULES = (
    ("error", r"error|exception|fail|broken|crash"),
    ("decision", r"decid|approve|reject|chose"),
    ("plan", r"plan|schedule|roadmap|will |going to|upcoming"),
    ("observation", r"observ|notic|saw |metric|spike|dropped|measured"),
    ("interaction", r"asked|replied|said|chat|told|responded"),
)


@dataclass(frozen=True)
class Weights:
    """How much each part of a recall's score counts; recency halves every ``half_life_days``."""

    similarity: float = 0.6
    recency: float = 0.3
    importance: float = 0.1
    half_life_days: float = 7.0


def importance(kind: str, content: str, metadata: Mapping[str, Any], hint: float | None) -> float:
    """In [0, 1]: the caller's hint, else by kind, length and urgency."""
    if hint is not None:
        return hint
    score = _BASE[Kind(kind)] + min(len(content) / _CHARACTERS_PER_POINT, _LONGEST_BONUS)
    return round(min(1.0, score + (_URGENT_BONUS if _is_urgent(metadata) else 0.0)), 6)


def _is_urgent(metadata: Mapping[str, Any]) -> bool:
    return any(
        (value is True and name.lower() in _URGENT) or (isinstance(value, str) and value.strip().lower() in _URGENT)
        for name, value in metadata.items()
    )


def category(content: str, kind: str) -> str:
    """One of CATEGORIES, by the words of the content."""
    text = content.lower()
    for name, pattern in _RULES:
        if re.search(pattern, text):
            return name
    return "knowledge" if kind == Kind.SEMANTIC else "other"


def recency(happened_at: datetime, now: datetime, half_life_days: float) -> float:
    """1 for what is new, half of it after each half-life."""
    days = max(0.0, (now - happened_at).total_seconds() / 86400)
    return float(0.5 ** (days / half_life_days))


def importance_of(entry: ZeroAgentMemory) -> float:
    """What the entry says, in [0, 1]."""
    value = entry.metadata.get("importance")
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return min(1.0, max(0.0, float(value))) if known else NEUTRAL


def category_of(entry: ZeroAgentMemory) -> str:
    """What the entry says, else what its words say."""
    value = entry.metadata.get("category")
    return value if value in CATEGORIES else category(entry.content, kind_of(entry))


def kind_of(entry: ZeroAgentMemory) -> str:
    """The cognitive kind; entries of the plain log are working memory."""
    return entry.memory_type if entry.memory_type in Kind.values else Kind.WORKING.value
