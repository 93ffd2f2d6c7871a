"""Cutting long messages into passages that an embedding model reads whole."""

from __future__ import annotations

import re
from uuid import UUID

MOST_WORDS = 120
"""About 160 tokens: models read 256 at least, and blur what is longer."""
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")


def passages_of(text: str) -> list[str]:
    """``text`` in pieces of whole sentences with up to MOST_WORDS words; longer sentences are cut between words."""
    passages: list[str] = []
    words: list[str] = []
    for sentence in _SENTENCE.split(text):
        more = sentence.split()
        if words and len(words) + len(more) > MOST_WORDS:
            passages.append(" ".join(words))
            words = []
        words += more
        while len(words) > MOST_WORDS:
            passages.append(" ".join(words[:MOST_WORDS]))
            words = words[MOST_WORDS:]
    if words:
        passages.append(" ".join(words))
    return passages


def vector_id(message_id: UUID, position: int) -> str:
    """The id of a passage's vector: the message's own, and for later passages their position."""
    return f"{message_id}-{position}" if position else str(message_id)


def message_id_of(vector: str) -> UUID:
    """The message of a vector. Raises ValueError for one that is not ours."""
    return UUID(vector[:36])
