"""Messages that hold words of what somebody asks for, from the vault's encrypted search."""

from __future__ import annotations

import re

from apps.chat.models import Message
from apps.chat.search.fusing import HeldWords
from apps.chat.search.weighing import rarity, weigh
from apps.vault.messages import search
from apps.vault.messages.holding import held_words

_EXACT = re.compile(r'["“”„«»()]|\w\*(?=\s|$)|(?:^|\s)(?:OR|AND)(?=\s|$)')


def messages_with_words(query: str, *, limit: int) -> list[HeldWords]:
    """Up to ``limit`` messages, most of the query's rare words first, then the newest.

    Quotes, ``AND``, ``OR``, brackets and ``begin*`` ask for exactly that: then all that fit hold all of it.
    Raises SearchIsOff, QueryFault.
    """
    if _EXACT.search(query):
        return _exactly(query, limit)
    found = held_words(Message, query, weight=rarity, limit=limit)
    if not found.asked:  # a single letter of a script without spaces; or nothing to look for, and this says so
        return _exactly(query, limit)
    return weigh(found.held, found.asked, found.frequencies, messages=found.messages)


def _exactly(query: str, limit: int) -> list[HeldWords]:
    return [HeldWords(hit.id, 1.0) for hit in search(Message, query, limit=limit).hits]
