"""Other conversations about the same matter: how it was solved then is often how it is solved now."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.accounts.actors import Actor
from apps.accounts.features import require_feature
from apps.accounts.permissions import require
from apps.chat import selectors
from apps.chat.features import SEMANTIC_SEARCH
from apps.chat.models import Conversation
from apps.chat.search.alike import alike
from apps.vault.messages.setting import account_in_scope

SHOWN, MOST = 5, 20


@dataclass(frozen=True)
class SimilarConversation:
    """A conversation and how alike it is (cosine, 0 to 1)."""

    conversation: Conversation
    score: float


@dataclass(frozen=True)
class SimilarConversations:
    """The most alike first. ``is_indexed``: whether the conversation could be compared at all."""

    found: list[SimilarConversation] = field(default_factory=list)
    is_indexed: bool = True


def similar_conversations(conversation: Conversation, *, actor: Actor, limit: int = SHOWN) -> SimilarConversations:
    """Up to ``limit`` others. Raises PermissionDenied, FeatureOff, NoProject, LimitReached, OutboundError."""
    require(actor, "conversations.view")
    require_feature(SEMANTIC_SEARCH.name, account_in_scope())
    scores = alike(conversation, actor=actor)
    if scores is None:
        return SimilarConversations(is_indexed=False)
    rows = {row.pk: row for row in selectors.whole(Conversation.objects.filter(pk__in=[key for key, _ in scores]))}
    found = [SimilarConversation(rows[key], score) for key, score in scores if key in rows]
    return SimilarConversations(found[:limit])
