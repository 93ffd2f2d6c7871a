"""Conversations about the same matter, by vectors that the index has already: nothing is embedded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.core.cache import cache

from apps.accounts.actors import Actor
from apps.accounts.metering import Line, metered
from apps.chat.indexing.generations import serving
from apps.chat.indexing.passages import vector_id
from apps.chat.indexing.vectors import project
from apps.chat.models import Conversation, IndexedMessage, Message
from apps.chat.search.by_meaning import MeaningHit, best_of_each
from apps.integrations.zerodb.client import NotFound, ProjectClient

MATTER = 3
"""The customer's first messages, which name the matter; what comes later is often thanks."""
NEAREST = 120
"""Messages that are looked at; many are the conversation's own, or come in groups."""
THRESHOLD = 0.5
"""Below it two conversations have little more in common than their politeness."""
REMEMBERED = 3600
"""Seconds that an answer is kept: each search costs, and pages are opened again and again."""


@dataclass(frozen=True)
class Alike:
    """A conversation, which message of it is most alike, and how much: cosine, THRESHOLD to 1."""

    conversation_id: UUID
    message_id: UUID
    passage: int
    score: float


def alike(conversation: Conversation, *, actor: Actor) -> list[Alike] | None:
    """Conversations about the same matter, best first.

    None while the conversation itself is not indexed. Raises NoProject, LimitReached, OutboundError.
    """
    generation = serving()
    asked = _matter_of(conversation)
    if generation is None or not asked:
        return None
    key = f"alike-messages:{conversation.account_id}:{generation.pk}:{conversation.pk}:{asked[-1]}"
    known: list[Alike] | None = cache.get(key)
    if known is not None:
        return known
    places = dict(
        IndexedMessage.objects.filter(generation=generation, message_id__in=asked, state=IndexedMessage.State.INDEXED)
        .exclude(passages=0)
        .values_list("message_id", "id")
    )
    if not places:
        return None
    with project() as client, metered("zerodb", Line("searches", 1, "zerodb"), actor=actor) as use:
        vector = _mean(client, [one for one in asked if one in places], generation.namespace)
        if vector is None:
            use.nothing_done()
            return None
        hits = client.nearest(vector, namespace=generation.namespace, limit=NEAREST, threshold=THRESHOLD)
    found = _by_conversation(best_of_each(hits), besides=conversation.pk)
    cache.set(key, found, REMEMBERED)
    return found


def _matter_of(conversation: Conversation) -> list[UUID]:
    said = Message.objects.filter(conversation=conversation, message_type=Message.Type.INCOMING)
    return list(said.order_by("id").values_list("id", flat=True)[:MATTER])


def _mean(client: ProjectClient, messages: list[UUID], namespace: str) -> list[float] | None:
    """The mean direction of these messages' vectors; None when the service has none of them any more."""
    found = []
    for one in messages:
        try:
            vector = np.asarray(client.vector(vector_id(one, 0), namespace=namespace), dtype=np.float32)
        except NotFound:
            continue
        found.append(vector / max(float(np.linalg.norm(vector)), 1e-12))
    return [float(value) for value in np.mean(found, axis=0)] if found else None


def _by_conversation(hits: list[MeaningHit], *, besides: UUID) -> list[Alike]:
    """Each conversation once, by its best message."""
    places = dict(
        Message.objects.filter(pk__in=[hit.message_id for hit in hits], is_private=False)
        .exclude(conversation_id=besides)
        .values_list("id", "conversation_id")
    )
    best: dict[UUID, Alike] = {}
    for hit in hits:
        if (found := places.get(hit.message_id)) is not None:
            best.setdefault(found, Alike(found, hit.message_id, hit.passage, hit.score))
    return list(best.values())
