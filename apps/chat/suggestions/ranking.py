"""Which canned replies fit what a customer last said. Pure: vectors and counts in, replies and scores out.

A reply is as good as its *profile* is like the question: the vector of its short code and text, and – more the more
often it was accepted – the mean of the questions it was accepted for. That mean is what learns (figures in
docs/performance.md). How often a reply was ignored moves it by NUDGE at most, which decides among equals and quiets
one that nobody ever wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt

Vector = Sequence[float] | npt.NDArray[np.float32]

QUESTIONS = 3
"""How many of the customer's last messages are the question: what was said first often names the matter."""
OFFERED = 3
THRESHOLD = 0.4
"""Below it nothing is offered: by the built-in model; others have their own (``likeness``)."""
EACH, MOST = 0.4, 2.0
"""What each accepted question adds to the weight of their mean beside the reply's own text (1), and where it ends."""
NUDGE = 0.03
USUAL, TRIED = 0.3, 10
"""The share of accepted ones that is taken for granted, as if it had been seen in TRIED cases (Beta prior)."""
REMEMBERED = 50
"""The mean of accepted questions moves by 1/REMEMBERED at least: what was learnt wrongly is learnt over."""
FULL = 100
"""Counts are halved when they come to this, so that old choices fade."""
SAME = 0.6
"""The cosine from which on a changed reply is still about the same matter."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A canned reply: the vector of ``reply_text``; the mean vector of the questions it was accepted for, if any."""

    id: UUID
    vector: Vector = field(repr=False)
    accepted: int = 0
    ignored: int = 0
    learnt: Vector = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A reply that fits. ``score``: 0 to 1."""

    id: UUID
    score: float


def question_text(incoming: Sequence[str]) -> str:
    """What is embedded for the question: the last QUESTIONS incoming messages (oldest first) as one text."""
    return "\n".join(incoming[-QUESTIONS:])


def reply_text(short_code: str, content: str) -> str:
    """What is embedded for a reply: its short code names the matter better than polite words do."""
    return f"{short_code.replace('-', ' ').replace('_', ' ').strip()}. {content}"


def suggest(
    question: Vector, replies: Iterable[Reply], *, threshold: float = THRESHOLD, limit: int = OFFERED
) -> list[Suggestion]:
    """Up to ``limit`` replies of at least ``threshold``, best first; equal ones as they came."""
    asked = _unit(question)
    scored = [Suggestion(reply.id, _score(asked, reply)) for reply in replies]
    return sorted((one for one in scored if one.score >= threshold), key=lambda one: -one.score)[:limit]


def learn(learnt: Vector, accepted: int, question: Vector) -> list[float]:
    """The mean of the accepted questions with one more; ``accepted``: how many ``learnt`` is the mean of."""
    new = _unit(question)
    if not accepted or not len(learnt):
        return [float(value) for value in new]
    mean = np.asarray(learnt, dtype=np.float32)
    return [float(value) for value in mean + (new - mean) / min(accepted + 1, REMEMBERED)]


def unlearn(learnt: Vector, accepted: int, question: Vector) -> list[float]:
    """The mean without a question that was just learnt; ``accepted``: how many ``learnt`` is the mean of, with it."""
    if accepted < 2 or not len(learnt):
        return []
    share = 1 / min(accepted, REMEMBERED)
    mean = (np.asarray(learnt, dtype=np.float32) - share * _unit(question)) / (1 - share)
    return [float(value) for value in mean]


def fade(accepted: int, ignored: int) -> tuple[int, int]:
    """The counts, halved when they are full."""
    return (accepted // 2, ignored // 2) if accepted + ignored >= FULL else (accepted, ignored)


def is_same_matter(before: Vector, after: Vector) -> bool:
    """Whether a reply whose text was changed still answers what it was accepted for."""
    return len(before) == len(after) and float(_unit(before) @ _unit(after)) >= SAME


def _score(asked: npt.NDArray[np.float32], reply: Reply) -> float:
    profile = _unit(reply.vector)
    if reply.accepted and len(reply.learnt):
        profile = _unit(profile + min(MOST, EACH * reply.accepted) * np.asarray(reply.learnt, dtype=np.float32))
    return min(1.0, max(0.0, float(asked @ profile) + _nudge(reply.accepted, reply.ignored)))


def _nudge(accepted: int, ignored: int) -> float:
    """From -NUDGE for what is always ignored to NUDGE for what is always accepted; 0 for what was never offered."""
    share = (accepted + USUAL * TRIED) / (accepted + ignored + TRIED)
    return NUDGE * ((share - USUAL) / (1 - USUAL) if share > USUAL else (share - USUAL) / USUAL)


def _unit(vector: Vector) -> npt.NDArray[np.float32]:
    values = np.asarray(vector, dtype=np.float32)
    return values / max(float(np.linalg.norm(values)), 1e-12)
