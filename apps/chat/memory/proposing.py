"""Finding facts in a conversation: by the account's language model when one is connected, by rules otherwise.

Proposals wait for a person: nothing is remembered that nobody looked at.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError

from apps.accounts.actors import Actor
from apps.accounts.features import is_on, require_feature
from apps.accounts.jobs import PermanentFailure, RunningJob, enqueue
from apps.accounts.metering import LimitReached, PriceUnknown
from apps.accounts.models import Job
from apps.accounts.permissions import require
from apps.chat.features import AGENT_MEMORY
from apps.chat.memory.rules import Stated, facts_in
from apps.chat.models import ContactMemory, Conversation, Message
from apps.chat.services.memories import MOST_LETTERS, remember
from apps.integrations.contracts.ai import Message as Said
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.services import ai
from apps.integrations.services.calling import NotConfigured
from apps.vault.messages import load_contents
from apps.vault.messages.setting import account_in_scope

KIND = "memories.propose"
ACTOR = Actor.system("agent memory")
MOST_MESSAGES = 60
_SYSTEM = (
    "You read what a customer wrote to a support team. List facts about the customer that will still matter in "
    "another conversation (preferences, circumstances, how to reach them), never passwords, card numbers or guesses. "
    'Answer with JSON alone: [{"message": <number>, "fact": "<one short sentence>", "importance": <1 to 5>, '
    '"tags": ["<word>"]}]. Answer [] when there is none.'
)
logger = logging.getLogger(__name__)


def propose_memories(conversation: Conversation, *, actor: Actor) -> Job:
    """Put looking for facts in line; proposals then stand beside the contact. Raises PermissionDenied, FeatureOff."""
    require(actor, "memories.manage")
    require_feature(AGENT_MEMORY.name, account_in_scope())
    return enqueue(KIND, actor=actor, payload={"conversation": str(conversation.pk)}, dedupe_key=str(conversation.pk))


def run(job: RunningJob) -> dict[str, Any]:
    """Handler of ``memories.propose``. What is proposed twice is there once."""
    with job.scope():
        if not is_on(AGENT_MEMORY.name, job.account_id):
            raise PermanentFailure("Agent memory was switched off meanwhile.")
        conversation = Conversation.objects.select_related("contact").filter(pk=job.payload["conversation"]).first()
        if conversation is None:
            raise PermanentFailure("The conversation was removed meanwhile.")
        ids = list(
            Message.objects.filter(conversation=conversation, message_type=Message.Type.INCOMING)
            .order_by("-id")
            .values_list("id", flat=True)[:MOST_MESSAGES]
        )[::-1]
        texts = load_contents(Message, ids)
    by_model = _ask_model(job.account_id, [texts[key] for key in ids])
    origin = ContactMemory.Origin.RULES if by_model is None else ContactMemory.Origin.MODEL
    found = by_model if by_model is not None else _by_rules([texts[key] for key in ids])
    with job.scope():
        before = ContactMemory.objects.filter(contact=conversation.contact).count()
        for number, fact in found:
            remember(
                conversation.contact,
                actor=ACTOR,
                content=fact.text,
                importance=fact.importance,
                tags=list(fact.tags),
                source_message=Message.objects.filter(pk=ids[number]).first(),
                origin=origin,
            )
        proposed = ContactMemory.objects.filter(contact=conversation.contact).count() - before
    return {"proposed": proposed, "by": str(origin)}


def _by_rules(texts: list[str]) -> list[tuple[int, Stated]]:
    return [(number, fact) for number, text in enumerate(texts) for fact in facts_in(text)]


def _ask_model(account_id: UUID, texts: list[str]) -> list[tuple[int, Stated]] | None:
    """What the account's language model finds; None when there is none, or it gives no answer that can be read."""
    if not texts:
        return []
    written = "\n".join(f"{number}: {text}" for number, text in enumerate(texts))
    try:
        # Outside of any scope: no transaction waits while a model writes.
        with ai.stream_chat(
            [Said(role="user", text=written)],
            actor=ACTOR,
            account=account_id,
            system=_SYSTEM,
            temperature=0.0,
            personal_data=["messages"],
        ) as stream:
            stream.read_all()
        return read_answer(stream.answer.text, len(texts))
    except NotConfigured:
        return None
    except (OutboundError, LimitReached, PriceUnknown, ValidationError, PermissionDenied, ValueError) as error:
        logger.warning("The language model proposed no facts (%s); rules do.", type(error).__name__)
        return None


def read_answer(text: str, messages: int) -> list[tuple[int, Stated]]:
    """``(message, fact)`` from a model's answer; entries that make no sense are left out. Raises ValueError."""
    start, end = text.find("["), text.rfind("]")
    if start < 0 or end < start:
        raise ValueError("No list in the answer.")
    found = []
    for entry in json.loads(text[start : end + 1]):
        if not isinstance(entry, dict) or not isinstance(entry.get("fact"), str) or not entry["fact"].strip():
            continue
        number, importance, tags = entry.get("message"), entry.get("importance"), entry.get("tags")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < messages:
            continue
        found.append(
            (
                number,
                Stated(
                    entry["fact"].strip()[:MOST_LETTERS],
                    importance if isinstance(importance, int) and 1 <= importance <= 5 else 3,
                    tuple(str(tag)[:40] for tag in tags[:10]) if isinstance(tags, list) else (),
                ),
            )
        )
    return found
