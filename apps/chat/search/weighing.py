"""How much of a query a message holds, in rare words. Pure: words may be words, or the numbers that stand for them.

Only what the table of words can tell without a decryption is asked: in how many messages a word is, and which of the
query's words a message holds. (How often it stands there would add nothing: BM25 with counts ranks no better here.)
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from apps.chat.search.fusing import HeldWords

Word = TypeVar("Word", bound=Hashable)


def rarity(messages_with_it: int, messages: int) -> float:
    """What a word says, in nats: Robertson and Spärck Jones's inverse document frequency, never below 0.

    A word that no message holds says the most: messages without it lack what was asked for.
    """
    return math.log(1 + max(0.0, messages - messages_with_it + 0.5) / (messages_with_it + 0.5))


def weigh(
    held: Mapping[UUID, Iterable[Word]], asked: Iterable[Word], frequencies: Mapping[Word, int], *, messages: int
) -> list[HeldWords]:
    """The messages of ``held``, which says which words each has: by their evidence, equal ones as they came.

    ``asked``: all words of the query, also those in no message. ``frequencies``: in how many of the account's
    ``messages`` each is; a word that is not there is in none.
    """
    weights = {word: rarity(frequencies.get(word, 0), messages) for word in asked}
    total = sum(weights.values())
    if not total:
        return []
    found = [
        HeldWords(message_id, min(1.0, sum(weights.get(word, 0.0) for word in set(words)) / total))
        for message_id, words in held.items()
    ]
    return sorted((hit for hit in found if hit.evidence > 0), key=lambda hit: -hit.evidence)
