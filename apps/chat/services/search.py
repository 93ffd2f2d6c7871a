"""Finding conversations."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import models

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.chat.search.by_meaning import nearest_messages
from apps.chat.search.showing import ConversationHit, Ranked, grouped
from apps.chat.selectors import ConversationFilter

LONGEST_QUERY = 500
DEFAULT_LIMIT, MOST = 10, 50
CANDIDATES, CANDIDATES_NARROWED = 200, 1_000
"""Messages that are looked at: more when a filter throws some of them out."""


class Mode(models.TextChoices):
    """How conversations are found."""

    MEANING = "meaning", "By meaning"
    WORDS = "words", "By words"
    BOTH = "both", "By meaning and words"


@dataclass(frozen=True)
class Found:
    """What a search came to; ``notices`` say in words what could not be looked into."""

    hits: list[ConversationHit]
    notices: list[str] = field(default_factory=list)


def search_conversations(
    query: str,
    *,
    actor: Actor,
    mode: Mode = Mode.BOTH,
    wanted: ConversationFilter | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Found:
    """The best conversations for ``query``, with their best passages.

    Raises PermissionDenied, ValidationError naming the field ``query``, NoProject, LimitReached, OutboundError.
    """
    require(actor, "conversations.view")
    query = " ".join(query.split())
    if not query:
        raise ValidationError({"query": ValidationError("Write what you look for.", code="required")})
    if len(query) > LONGEST_QUERY:
        words = f"Use at most {LONGEST_QUERY} characters; this has {len(query)}."
        raise ValidationError({"query": ValidationError(words, code="max_length")})
    wanted = wanted or ConversationFilter()
    candidates = CANDIDATES if wanted == ConversationFilter() else CANDIDATES_NARROWED
    ranked = [
        Ranked(hit.message_id, hit.score, hit.passage) for hit in nearest_messages(query, limit=candidates, actor=actor)
    ]
    return Found(grouped(ranked, wanted, limit=limit))
