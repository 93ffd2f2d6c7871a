"""Which messages hold some of the words of a question, most of its rare ones first: for a ranking, not for a list.

Unlike ``search`` nothing is decrypted here, so two words whose numbers fall together by chance count as one; and a
message need not hold all of the words. The work is bounded: words are followed from the rarest on, the newest
messages of each, until MOST_FOLLOWED rows are looked at; the rest are asked of what was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.vault.messages.asking import rows_of
from apps.vault.messages.hashing import hashers
from apps.vault.messages.models import SealedMessage
from apps.vault.messages.searching import SearchIsOff
from apps.vault.messages.setting import account_in_scope, current_setting, words_of
from apps.vault.messages.words import analyse, chunks, normal, pairs

MOST_WORDS = 32
MOST_FOLLOWED = 20_000
COUNTED_UP_TO = 20_000
"""Messages with a word are counted up to here: beyond, it is as common as can be."""
MOST_MESSAGES = 100_000

Weight = Callable[[int, int], float]
"""What a word says, from the number of messages with it and of all messages."""


@dataclass(frozen=True)
class Holding:
    """Words as their stems, and pairs of letters of scripts without spaces.

    ``frequencies``: in how many of ``messages`` each is; ``held``: which a message has.
    """

    asked: tuple[str, ...] = ()
    frequencies: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    held: dict[UUID, list[str]] = field(default_factory=dict)
    building: bool = False


def held_words(model: type[SealedMessage], question: str, *, weight: Weight, limit: int) -> Holding:
    """Up to ``limit`` messages of the account in scope, by the weight of what they hold, then newest first.

    Raises SearchIsOff, NoScope, Sealed.
    """
    account_id, setting = account_in_scope(), current_setting()
    if not setting.enabled:
        raise SearchIsOff("Word search is switched off for this account, so nothing is kept to find messages by.")
    asked = asked_words(question, setting.language)
    if not asked:
        return Holding(building=setting.building)
    # While an index key is rotated a word has two numbers; a message has one of them.
    term_of = {hasher.number(word): term for term, word in enumerate(asked) for hasher in hashers(account_id)}
    table = f'"{words_of(model)._meta.db_table}"'
    counts = [0] * len(asked)
    for number, count in _count(table, account_id, list(term_of)):
        counts[term_of[number]] += count
    total = _messages(model, at_least=max(counts))
    weights = [weight(count, total) for count in counts]
    rows = _most_of(table, account_id, term_of, _followed(counts), weights, limit)
    held = {message_id: [asked[term] for term in dict.fromkeys(terms)] for message_id, terms in rows}
    return Holding(asked, dict(zip(asked, counts, strict=True)), total, held, setting.building)


def asked_words(question: str, language: str) -> tuple[str, ...]:
    """The stems of a question's words, and the pairs of letters where no space parts words.

    Each once, without stop words; at most MOST_WORDS.
    """
    found: list[str] = []
    for chunk in chunks(normal(question)):
        known = analyse(chunk, language)
        # The last letter of a run is indexed alone only where the run ends: not to be asked for here.
        found += [*known.stems, *(pair for pair in pairs(known.parts) if len(pair) > 1)]
    return tuple(dict.fromkeys(found))[:MOST_WORDS]


def _followed(counts: list[int]) -> set[int]:
    """The terms that lead to messages: the rarest, as many as MOST_FOLLOWED rows hold; one at least."""
    followed: set[int] = set()
    left = MOST_FOLLOWED
    for term in sorted((term for term, count in enumerate(counts) if count), key=lambda term: counts[term]):
        left -= counts[term]
        if followed and left < 0:
            break
        followed.add(term)
    return followed


def _count(table: str, account_id: UUID, numbers: list[int]) -> list[tuple[int, int]]:
    return rows_of(
        f"SELECT asked.word, (SELECT count(*) FROM (SELECT FROM {table} WHERE account_id = %s "  # noqa: S608
        f"AND word = asked.word LIMIT {COUNTED_UP_TO}) AS found) FROM unnest(%s::bigint[]) AS asked(word)",
        [account_id, numbers],
    )


def _messages(model: Any, *, at_least: int) -> int:
    counted: int = model.objects.order_by()[:MOST_MESSAGES].count()
    return max(counted, at_least)


def _most_of(
    table: str, account_id: UUID, term_of: dict[int, int], followed: set[int], weights: list[float], limit: int
) -> list[tuple[UUID, list[int]]]:
    """The messages that the followed terms lead to, the heaviest first, with all terms each has."""
    leading = [(number, term) for number, term in term_of.items() if term in followed]
    others = [(number, term) for number, term in term_of.items() if term not in followed and weights[term] > 0]
    spread = "unnest(%s::bigint[], %s::int[], %s::float8[]) AS asked(word, term, weight)"
    return rows_of(
        f"WITH held AS MATERIALIZED (SELECT found.message_id, asked.term, asked.weight FROM {spread} "  # noqa: S608
        f"CROSS JOIN LATERAL (SELECT message_id FROM {table} WHERE account_id = %s AND word = asked.word "
        f"ORDER BY message_id DESC LIMIT {MOST_FOLLOWED}) AS found), "
        f"best AS (SELECT message_id, sum(weight) AS weight, array_agg(term) AS terms FROM held GROUP BY message_id "
        f"ORDER BY 2 DESC, 1 DESC LIMIT {2 * int(limit)}), "
        f"more AS (SELECT best.message_id, asked.term, asked.weight FROM best CROSS JOIN {spread} WHERE EXISTS "
        f"(SELECT FROM {table} AS other WHERE other.account_id = %s AND other.word = asked.word "
        f"AND other.message_id = best.message_id)) "
        f"SELECT best.message_id, best.terms || array_remove(array_agg(more.term), NULL) FROM best "
        f"LEFT JOIN more ON more.message_id = best.message_id GROUP BY best.message_id, best.weight, best.terms "
        f"ORDER BY best.weight + coalesce(sum(more.weight), 0) DESC, best.message_id DESC LIMIT {int(limit)}",
        [*_columns(leading, weights), account_id, *_columns(others, weights), account_id],
    )


def _columns(asked: list[tuple[int, int]], weights: list[float]) -> list[list[Any]]:
    return [
        [number for number, _ in asked],
        [term for _, term in asked],
        [weights[term] for _, term in asked],
    ]
