"""What a number of memories come to: topics, patterns, contradictions, gaps."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from apps.integrations.models import ZeroAgentMemory
from apps.integrations.zerodb.server.cognition.scoring import category_of, importance_of

_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = frozenset(
    _WORD.findall(
        "about after again also because been before being both could does doing down during each from further have "
        "having here into itself just more most only other over same should some such than that their them then there "
        "these they this those through under until very were what when where which while will with would your "
        "customer agent"
    )
)
_MOST_TOPICS = 10
_REPEATED = 2
_EXPERT = 3
"""A topic of that many memories, which matter on average, is one the agent knows."""
_NEAR = 0.6
"""Cosine from which two memories are taken to speak of the same."""
_NO = re.compile(r"\b(?:not|never|no longer|cannot|can't|won't|doesn't|isn't|reject\w*|declin\w*|den(?:y|ied))\b")
_EXPECTED = {
    "decision": "No decision is remembered.",
    "observation": "No observation is remembered.",
    "knowledge": "No lasting knowledge is remembered.",
    "plan": "No plan is remembered.",
}


def words_of(text: str) -> set[str]:
    """The words that may name a topic."""
    return set(_WORD.findall(text.lower())) - _COMMON


def topics(memories: Iterable[ZeroAgentMemory]) -> list[dict[str, Any]]:
    """``{topic, count, average_importance}``: words by how many memories hold them, most first."""
    found: dict[str, list[float]] = defaultdict(list)
    for memory in memories:
        for word in words_of(memory.content):
            found[word].append(importance_of(memory))
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST_TOPICS]
    return [
        {"topic": word, "count": len(scores), "average_importance": round(sum(scores) / len(scores), 6)}
        for word, scores in ranked
    ]


def expertise(found: Iterable[dict[str, Any]]) -> list[str]:
    """The topics that come up often and matter."""
    return [topic["topic"] for topic in found if topic["count"] >= _EXPERT and topic["average_importance"] >= 0.5]


def categories(memories: Iterable[ZeroAgentMemory]) -> list[dict[str, Any]]:
    """``{category, count}``, most first."""
    counted = Counter(category_of(memory) for memory in memories)
    return [{"category": name, "count": count} for name, count in sorted(counted.items(), key=lambda i: (-i[1], i[0]))]


def patterns(memories: Iterable[ZeroAgentMemory]) -> list[dict[str, Any]]:
    """``{label, count, category}``: words that come up again in memories of one category."""
    counted = Counter((category_of(memory), word) for memory in memories for word in words_of(memory.content))
    again = [(found, count) for found, count in counted.items() if count >= _REPEATED]
    ranked = sorted(again, key=lambda item: (-item[1], item[0]))[:_MOST_TOPICS]
    return [{"label": word, "count": count, "category": name} for (name, word), count in ranked]


def contradictions(memories: Sequence[ZeroAgentMemory]) -> list[dict[str, Any]]:
    """``{topic, memory_ids}``: pairs that speak of the same, one of them with a no."""
    known = [memory for memory in memories if memory.embedding is not None]
    if len(known) < 2:
        return []
    vectors = np.asarray([memory.embedding for memory in known], dtype=np.float32)
    near = vectors @ vectors.T
    found = []
    for one, other in combinations(range(len(known)), 2):
        if near[one, other] < _NEAR:
            continue
        first, second = known[other], known[one]  # memories come newest first
        shared = words_of(first.content) & words_of(second.content)
        if shared and bool(_NO.search(first.content.lower())) != bool(_NO.search(second.content.lower())):
            found.append({"topic": max(shared, key=len), "memory_ids": [first.memory_id, second.memory_id]})
    return found


def gaps(memories: Sequence[ZeroAgentMemory]) -> list[dict[str, Any]]:
    """``{category, description}``: what is missing beside the memories there are."""
    there = {category_of(memory) for memory in memories}
    wanted = _EXPECTED.items() if memories else ()
    return [{"category": name, "description": words} for name, words in wanted if name not in there]
