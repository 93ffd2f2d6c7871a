"""Conversations about the same matter, by vectors that the index has already: nothing is embedded.

Most of what is said in a conversation fits any other: thanks, greetings, "is there any news?". So messages count by
their substance (``substance``), on both sides; the customer's first ones more than later ones; and a conversation that
is alike in several messages more than one that is in one. Figures: docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.core.cache import cache

from apps.accounts.actors import Actor
from apps.accounts.metering import Line, metered
from apps.chat.indexing.generations import serving
from apps.chat.indexing.passages import vector_id
from apps.chat.indexing.vectors import project
from apps.chat.models import Conversation, IndexedMessage, IndexGeneration, Message
from apps.chat.search.by_meaning import MeaningHit, best_of_each
from apps.chat.search.substance import substance
from apps.chat.suggestions.likeness import same_matter
from apps.chat.suggestions.profiles import read_profiles
from apps.integrations.zerodb.client import NotFound, ProjectClient
from apps.integrations.zerodb.usage import LOOKUPS, SEARCHES
from apps.vault.messages import load_contents
from apps.vault.messages.setting import current_setting

LOOKED_AT, MATTER = 6, 3
"""The customer's first messages, and how many of them, the most telling ones, say what the matter is."""
NEAREST = 120
"""Messages that are looked at; many are the conversation's own, or come in groups."""
FURTHER = 0.25
"""What a conversation's second message counts of its first; the third as much of the second, and no more are asked."""
PAIRS = 3
REMEMBERED = 3600
"""Seconds that an answer is kept: each search costs, and pages are opened again and again."""


@dataclass(frozen=True)
class Alike:
    """A conversation, which message of it is most alike, and how much they have in common: 0 to 1."""

    conversation_id: UUID
    message_id: UUID
    passage: int
    score: float


def alike(conversation: Conversation, *, actor: Actor, is_asked: bool = True) -> list[Alike] | None:
    """Conversations about the same matter, best first; none while the customer said nothing but courtesies.

    Unless somebody asked for them, what is looked up beside a page counts as a lookup: no limit of searches, which
    people do run into, is used up by what nobody asked for, and the ledger tells of it all the same.
    None while the conversation itself is not indexed. Raises NoProject, LimitReached, OutboundError.
    """
    generation = serving()
    said = _said_first(conversation)
    if generation is None or not said:
        return None
    key = f"alike-matters:{conversation.account_id}:{generation.pk}:{conversation.pk}:{said[-1]}"
    known: list[Alike] | None = cache.get(key)
    if known is not None:
        return known
    indexed = _indexed(generation, said)
    if not indexed:
        return None
    language = current_setting().language
    weights = _weights(indexed, load_contents(Message, indexed), language)
    if not weights:
        return []
    threshold = same_matter(generation.model, [one.vector for one in read_profiles(generation.model).replies])
    line = Line(SEARCHES if is_asked else LOOKUPS, 1, "zerodb")
    with project() as client, metered("zerodb", line, actor=actor) as use:
        vector = _mean(client, weights, generation.namespace)
        if vector is None:
            use.nothing_done()
            return None
        hits = client.nearest(vector, namespace=generation.namespace, limit=NEAREST, threshold=threshold)
    found = _by_conversation(best_of_each(hits), language, besides=conversation.pk)
    cache.set(key, found, REMEMBERED)
    return found


def _said_first(conversation: Conversation) -> list[UUID]:
    said = Message.objects.filter(conversation=conversation, message_type=Message.Type.INCOMING)
    return list(said.order_by("id").values_list("id", flat=True)[:LOOKED_AT])


def _indexed(generation: IndexGeneration, messages: list[UUID]) -> list[UUID]:
    """Those of ``messages`` that have a vector, in their order."""
    rows = IndexedMessage.objects.filter(generation=generation, state=IndexedMessage.State.INDEXED)
    there = set(rows.filter(message_id__in=messages).exclude(passages=0).values_list("message_id", flat=True))
    return [one for one in messages if one in there]


def _weights(messages: list[UUID], texts: Mapping[UUID, str], language: str) -> dict[UUID, float]:
    """The most telling of ``messages`` (the first one first), and how much each says about the matter."""
    weights = {
        one: substance(texts[one], language) ** 2 / (1 + place) for place, one in enumerate(messages) if one in texts
    }
    heaviest = sorted((one for one in weights if weights[one] > 0), key=lambda one: -weights[one])[:MATTER]
    return {one: weights[one] for one in heaviest}


def _mean(client: ProjectClient, weights: Mapping[UUID, float], namespace: str) -> list[float] | None:
    """The weighed mean direction of these messages' vectors; None when the service has none of them any more."""
    found = []
    for one, weight in weights.items():
        try:
            vector = np.asarray(client.vector(vector_id(one, 0), namespace=namespace), dtype=np.float32)
        except NotFound:
            continue
        found.append(weight * vector / max(float(np.linalg.norm(vector)), 1e-12))
    return [float(value) for value in np.sum(found, axis=0)] if found else None


def _by_conversation(hits: list[MeaningHit], language: str, *, besides: UUID) -> list[Alike]:
    """Each conversation once, by its best messages; equal ones as they came."""
    messages = Message.objects.filter(pk__in=[hit.message_id for hit in hits], is_private=False)
    places = dict(messages.exclude(conversation_id=besides).values_list("id", "conversation_id"))
    texts = load_contents(Message, places)
    pairs: dict[UUID, list[tuple[float, MeaningHit]]] = {}
    for hit in hits:
        if (found := places.get(hit.message_id)) is not None and hit.message_id in texts:
            telling = substance(texts[hit.message_id], language) ** 0.5
            pairs.setdefault(found, []).append((min(1.0, hit.score) * telling, hit))
    ranked = [_together(conversation, found) for conversation, found in pairs.items()]
    return sorted((one for one in ranked if one.score > 0), key=lambda one: -one.score)


def _together(conversation: UUID, pairs: list[tuple[float, MeaningHit]]) -> Alike:
    """Its best pairs as one score, as chances are added: 1 when nothing is missing, never more."""
    best = sorted(pairs, key=lambda pair: -pair[0])[:PAIRS]
    missing = 1.0
    for place, (score, _) in enumerate(best):
        missing *= 1 - score * FURTHER**place
    return Alike(conversation, best[0][1].message_id, best[0][1].passage, 1 - missing)
