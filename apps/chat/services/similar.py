"""Other conversations about the same matter: how it was solved then is often how it is solved now."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.accounts.actors import Actor
from apps.accounts.features import require_feature
from apps.accounts.permissions import require
from apps.chat import selectors
from apps.chat.features import SEMANTIC_SEARCH
from apps.chat.models import Conversation, Message
from apps.chat.search.alike import alike
from apps.chat.search.showing import Passage, excerpt
from apps.vault.messages import load_contents
from apps.vault.messages.setting import account_in_scope

SHOWN, MOST = 5, 20


@dataclass(frozen=True)
class SimilarConversation:
    """A conversation, how alike it is (cosine, 0 to 1), and by which passage."""

    conversation: Conversation
    score: float
    passage: Passage


@dataclass(frozen=True)
class SimilarConversations:
    """The most alike first. ``is_indexed``: whether the conversation could be compared at all."""

    found: list[SimilarConversation] = field(default_factory=list)
    is_indexed: bool = True


def similar_conversations(
    conversation: Conversation, *, actor: Actor, limit: int = SHOWN, is_asked: bool = True
) -> SimilarConversations:
    """Up to ``limit`` others; ``is_asked``: by somebody, not by a page that shows them with other things.

    Raises PermissionDenied, FeatureOff, NoProject, LimitReached, OutboundError."""
    require(actor, "conversations.view")
    require_feature(SEMANTIC_SEARCH.name, account_in_scope())
    others = alike(conversation, actor=actor, is_asked=is_asked)
    if others is None:
        return SimilarConversations(is_indexed=False)
    there = Conversation.objects.filter(pk__in=[one.conversation_id for one in others]).values_list("id", flat=True)
    shown = [one for one in others if one.conversation_id in set(there)][:limit]
    rows = selectors.whole(Conversation.objects.all()).in_bulk([one.conversation_id for one in shown])
    texts = load_contents(Message, [one.message_id for one in shown])
    return SimilarConversations(
        [
            SimilarConversation(
                rows[one.conversation_id],
                one.score,
                Passage(one.message_id, excerpt(texts[one.message_id], one.passage)),
            )
            for one in shown
            if one.message_id in texts
        ]
    )
