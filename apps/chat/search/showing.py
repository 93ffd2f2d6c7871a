"""Found messages as people see them: grouped by conversation, with the passages that were meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from apps.chat import selectors
from apps.chat.indexing.passages import passages_of
from apps.chat.models import Conversation, Message
from apps.vault.messages import load_contents

_TABLE = Message._meta.db_table
MOST_PASSAGES = 3
SHORT = 300
"""Messages up to this many characters are shown whole."""


@dataclass(frozen=True)
class Ranked:
    """A message that was found, with its score (0 to 1) and the passage that was meant."""

    message_id: UUID
    score: float
    passage: int = 0


@dataclass(frozen=True)
class Passage:
    """What of a message is shown."""

    message_id: UUID
    text: str


@dataclass
class ConversationHit:
    """A conversation that was found; its best passages first."""

    conversation: Conversation
    score: float
    passages: list[Passage] = field(default_factory=list)


def grouped(ranked: Iterable[Ranked], wanted: selectors.ConversationFilter, *, limit: int) -> list[ConversationHit]:
    """The best ``limit`` conversations among ``ranked`` messages (best first) that ``wanted`` lets through.

    Messages that are gone, private, or of conversations that do not fit are left out.
    """
    ranked = list(ranked)
    places = dict(
        Message.objects.filter(wanted.condition("conversation__"), is_private=False)
        # One array, where id__in makes hundreds of parameters.
        .extra(where=[f"{_TABLE}.id = ANY(%s)"], params=[[row.message_id for row in ranked]])  # noqa: S610 - ours
        .values_list("id", "conversation_id")
    )
    best: dict[UUID, list[Ranked]] = {}
    for row in ranked:
        conversation_id = places.get(row.message_id)
        if conversation_id is None or (conversation_id not in best and len(best) == limit):
            continue
        rows = best.setdefault(conversation_id, [])
        if len(rows) < MOST_PASSAGES:
            rows.append(row)
    conversations = {row.pk: row for row in selectors.whole(Conversation.objects.filter(pk__in=best))}
    texts = load_contents(Message, [row.message_id for rows in best.values() for row in rows])
    return [
        ConversationHit(
            conversations[key],
            rows[0].score,
            [Passage(row.message_id, excerpt(texts[row.message_id], row.passage)) for row in rows],
        )
        for key, rows in best.items()
    ]


def excerpt(text: str, passage: int) -> str:
    """The text if it is short, otherwise the passage."""
    if len(text) <= SHORT:
        return text
    passages = passages_of(text)
    return passages[min(passage, len(passages) - 1)]
