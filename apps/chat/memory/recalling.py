"""Facts about a contact that bear on what is being talked about.

A contact has some dozens of facts at most, so each is compared; no index is kept of them. A fact's vector is made when
it is first needed and lies encrypted beside the fact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.accounts.actors import Actor
from apps.accounts.features import require_feature
from apps.chat.features import AGENT_MEMORY
from apps.chat.indexing.embedding import embed, kept
from apps.chat.indexing.generations import chosen_model
from apps.chat.models import ContactMemory, Conversation, Message
from apps.vault.messages.setting import account_in_scope
from apps.vault.models import Contact

LATEST, MOST_LETTERS = 3, 2_000
PER_STEP = 0.05
"""What one step of importance is worth, in cosine: it decides among facts that fit about as well."""


@dataclass(frozen=True)
class Recalled:
    """A fact and how well it fits (cosine with the question, 0 to 1); None when it was not asked for by meaning."""

    memory: ContactMemory
    score: float | None = None


def known_facts(contact: Contact, *, limit: int = 50) -> list[Recalled]:
    """The most important facts, then the newest."""
    rows = ContactMemory.objects.filter(contact=contact, state=ContactMemory.State.REMEMBERED)
    return [Recalled(row) for row in rows.order_by("-importance", "-id")[:limit]]


def last_said(conversation: Conversation) -> str:
    """What the customer said last, to recall by; "" when they have said nothing."""
    rows = Message.objects.filter(conversation=conversation, message_type=Message.Type.INCOMING).order_by("-id")
    said = [message.content or "" for message in rows[:LATEST]]
    return "\n".join(reversed(said))[:MOST_LETTERS]


def recall(contact: Contact, about: str, *, actor: Actor, limit: int = 5) -> list[Recalled]:
    """The facts that bear on ``about``, best first. Raises FeatureOff, NoProject, LimitReached, OutboundError."""
    require_feature(AGENT_MEMORY.name, account_in_scope())
    rows = list(ContactMemory.objects.filter(contact=contact, state=ContactMemory.State.REMEMBERED))
    if not rows:
        return []
    model = chosen_model()
    missing = [row for row in rows if (row.embedding or {}).get("model") != model]
    made = embed([about, *(row.content for row in missing)], actor=actor)
    for row, vector in zip(missing, made.vectors[1:], strict=True):
        row.embedding = {"model": made.model, "vector": kept(vector)}
        row.save(update_fields=["embedding"])
    asked = np.asarray(made.vectors[0])
    scored = [(_likeness(asked, np.asarray((row.embedding or {})["vector"])), row) for row in rows]
    scored.sort(key=lambda pair: -(pair[0] + PER_STEP * (pair[1].importance - 3)))
    return [Recalled(row, round(max(0.0, score), 6)) for score, row in scored[:limit]]


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0
