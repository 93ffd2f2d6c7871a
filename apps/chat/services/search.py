"""Finding conversations."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

from apps.accounts.actors import Actor
from apps.accounts.features import FeatureOff, require_feature
from apps.accounts.metering import LimitReached
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import current_account_id
from apps.chat.features import SEMANTIC_SEARCH
from apps.chat.indexing.vectors import NoProject
from apps.chat.search.by_meaning import MeaningHit, nearest_messages
from apps.chat.search.by_words import messages_with_words
from apps.chat.search.fusing import COMPARED, HeldWords, Meant, fuse
from apps.chat.search.showing import ConversationHit, Ranked, grouped
from apps.chat.selectors import ConversationFilter
from apps.integrations.outbound.errors import OutboundError
from apps.vault.messages import QueryFault, SearchIsOff

LONGEST_QUERY = 500
DEFAULT_LIMIT, MOST = 10, 100
CANDIDATES, CANDIDATES_NARROWED = 200, 1_000
"""Messages that are looked at: more when a filter throws some of them out."""


class Mode(models.TextChoices):
    """How conversations are found."""

    MEANING = "meaning", "By meaning"
    WORDS = "words", "By words"
    BOTH = "both", "By meaning and words"


@dataclass(frozen=True)
class Found:
    """What a search came to; ``notices`` say in words what could not be looked into. ``is_blind``: nothing could."""

    hits: list[ConversationHit]
    notices: list[str] = field(default_factory=list)
    is_blind: bool = False


def search_conversations(
    query: str,
    *,
    actor: Actor,
    mode: Mode = Mode.BOTH,
    wanted: ConversationFilter | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Found:
    """The best conversations for ``query``, with their best passages.

    By both, what can't be asked is left out and told in ``notices``, even where a limit of the account is used up:
    words cost nothing. Raises PermissionDenied, ValidationError naming the field ``query``, PriceUnknown; LimitReached
    where it is an API key's own or words can't be asked either; by meaning alone also FeatureOff, NoProject,
    OutboundError.
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
    if mode == Mode.MEANING:
        require_feature(SEMANTIC_SEARCH.name, _account_id())
        meaning = nearest_messages(query, limit=candidates, actor=actor)
        return Found(grouped([Ranked(hit.message_id, hit.score, hit.passage) for hit in meaning], wanted, limit=limit))
    notices: list[str] = []
    held = _words(query, candidates, notices, alone=mode == Mode.WORDS)
    if mode == Mode.WORDS:
        hits = grouped([Ranked(hit.message_id, hit.evidence) for hit in held], wanted, limit=limit)
        return Found(hits, notices, is_blind=bool(notices))
    are_words_off = bool(notices)
    meaning = _meaning(query, COMPARED if candidates == CANDIDATES else candidates, actor, notices)
    hits = grouped(_fused(held, meaning), wanted, limit=limit)
    return Found(hits, notices, is_blind=are_words_off and len(notices) > 1)


def _account_id() -> UUID:
    account_id = current_account_id()
    assert account_id is not None, "Conversations belong to an account."
    return account_id


def _words(query: str, limit: int, notices: list[str], *, alone: bool) -> list[HeldWords]:
    """By words; what can't be asked is a fault of ``query`` when ``alone``, else no hit."""
    try:
        return messages_with_words(query, limit=limit)
    except SearchIsOff as off:
        notices.append(str(off))
    except QueryFault as fault:
        if alone:
            raise ValidationError({"query": ValidationError(str(fault), code=fault.code)}) from fault
    return []


def _meaning(query: str, limit: int, actor: Actor, notices: list[str]) -> list[MeaningHit]:
    """By meaning; while the service does not answer, words alone are better than nothing."""
    by_words = "" if notices else " Only words were searched."
    try:
        require_feature(SEMANTIC_SEARCH.name, _account_id())
        return nearest_messages(query, limit=limit, actor=actor, vectors=COMPARED)
    except FeatureOff as off:
        notices.append(f"{off}{by_words}")
        return []
    except (NoProject, OutboundError):
        notices.append(f"Search by meaning does not answer at the moment.{by_words}")
        return []
    except LimitReached as refusal:
        # Words are off: nothing could be asked, and the limit is why. And a key that has used up its own does nothing.
        if notices or refusal.scope == "api_key":
            raise
        notices.append(f"{refusal}{by_words}")
        return []


def _fused(words: list[HeldWords], meaning: list[MeaningHit]) -> list[Ranked]:
    passages = {hit.message_id: hit.passage for hit in meaning}
    fused = fuse(words, [Meant(hit.message_id, hit.score, hit.vector) for hit in meaning])
    return [Ranked(hit.message_id, hit.score, passages.get(hit.message_id, 0)) for hit in fused]
