"""What was suggested for a message and what became of it: counted once for each message, and taken back when changed.

All of it runs in the caller's transaction, with the offer's row held.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.accounts.features import is_on
from apps.chat.features import SMART_SUGGESTIONS
from apps.chat.models import CannedResponse, Conversation, Message, ReplyOffer, ReplyProfile
from apps.chat.suggestions.packing import pack, unpack
from apps.chat.suggestions.ranking import QUESTIONS, Vector, fade, learn, question_text, unlearn
from apps.vault.fields import open_columns
from apps.vault.messages import load_contents
from apps.vault.messages.setting import account_in_scope

SHORTEST = 12
"""Letters of a canned response by which it is known again in what was sent; "Thanks!" says nothing."""


def question_ids(conversation: Conversation) -> list[UUID]:
    """The last messages of the customer, the oldest first."""
    said = Message.objects.filter(conversation=conversation, message_type=Message.Type.INCOMING)
    return list(said.order_by("-id").values_list("id", flat=True)[:QUESTIONS])[::-1]


def question_of(ids: list[UUID]) -> str:
    """What is embedded of these messages."""
    texts = load_contents(Message, ids)
    return question_text([texts[one] for one in ids if one in texts])


def offer_for(message_id: UUID, model: str) -> ReplyOffer | None:
    """What was offered for this message, when its vector is of this model."""
    found: ReplyOffer | None = ReplyOffer.objects.filter(message_id=message_id, model=model).first()
    return found


def keep_question(conversation: Conversation, message_id: UUID, vector: Vector, model: str) -> ReplyOffer:
    """Keep the vector of a question. Where another request came first, or the model has changed, there is one row."""
    packed = pack(vector)
    offer, created = ReplyOffer.objects.get_or_create(
        message_id=message_id, defaults={"conversation": conversation, "model": model, "question": packed}
    )
    if not created and offer.model != model:
        offer.model, offer.question = model, packed
        offer.save(update_fields=["model", "question", "updated_at"])
    return offer


def note_shown(offer: ReplyOffer, ids: list[UUID]) -> None:
    """These were before the eyes of somebody who may answer."""
    new = [str(one) for one in ids if str(one) not in offer.shown]
    if not new or offer.answered_at is not None:
        return
    held = ReplyOffer.objects.select_for_update().get(pk=offer.pk)
    held.shown = list(dict.fromkeys([*held.shown, *new]))
    held.save(update_fields=["shown", "updated_at"])


def accept(offer: ReplyOffer, canned_id: UUID) -> None:
    """``canned_id`` was taken for the answer; what was taken before is taken back."""
    if offer.accepted_id == canned_id:
        return
    if offer.accepted_id is not None:
        _count(offer, offer.accepted_id, accepted=-1)
    offer.accepted_id = canned_id
    _count(offer, canned_id, accepted=1, ignored=-1 if str(canned_id) in offer.ignored else 0)
    offer.ignored = [one for one in offer.ignored if one != str(canned_id)]
    offer.save(update_fields=["accepted", "ignored", "updated_at"])


def ignore(offer: ReplyOffer, canned_id: UUID) -> None:
    """``canned_id`` was not what is needed."""
    if str(canned_id) in offer.ignored:
        return
    taken_back = offer.accepted_id == canned_id
    if taken_back:
        offer.accepted_id = None
    offer.ignored = [*offer.ignored, str(canned_id)]
    _count(offer, canned_id, accepted=-1 if taken_back else 0, ignored=1)
    offer.save(update_fields=["accepted", "ignored", "updated_at"])


def close_offers(conversation: Conversation, reply: Message) -> None:
    """The customer was answered with ``reply``: see what became of what was suggested.

    A canned response whose text is in the reply was accepted, also when it came by its code; the others that were
    shown were ignored. Messages that came one after the other are one question: only the last one counts, or the one
    for which somebody chose.
    """
    if not is_on(SMART_SUGGESTIONS.name, account_in_scope()):
        return
    waiting = ReplyOffer.objects.select_for_update().filter(conversation=conversation, answered_at=None)
    offers = list(waiting.order_by("-id"))
    if not offers:
        return
    counted = next((offer for offer in offers if offer.accepted_id), offers[0])
    if counted.accepted_id is None and (sent := _canned_in(reply.content, counted)) is not None:
        accept(counted, sent)
    for shown in counted.shown:
        if shown != str(counted.accepted_id) and shown not in counted.ignored:
            ignore(counted, UUID(shown))
    ReplyOffer.objects.filter(pk__in=[offer.pk for offer in offers]).update(answered_at=timezone.now())


def _canned_in(text: str, offer: ReplyOffer) -> UUID | None:
    """The canned response that ``text`` holds: the longest one, one that was shown before others."""
    said = _plain(text)
    rows = list(CannedResponse.objects.values_list("id", "content"))
    found = [
        (str(row[0]) in offer.shown, len(row[1]), row[0])
        for row in open_columns(CannedResponse, account_in_scope(), rows, {1: "content"})
        if len(row[1]) >= SHORTEST and _plain(row[1]) in said
    ]
    return max(found, key=lambda one: one[:2])[2] if found else None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _count(offer: ReplyOffer, canned_id: UUID, *, accepted: int = 0, ignored: int = 0) -> None:
    """Move the counts of a canned response, and what it learnt of the question. One that is gone counts nothing."""
    row = ReplyProfile.objects.select_for_update().filter(canned_response_id=canned_id).first()
    if row is None:
        return
    question = unpack(offer.question)
    if row.model == offer.model and accepted:
        change = learn if accepted > 0 else unlearn
        row.learnt = pack(change(unpack(row.learnt), row.accepted, question))
    row.accepted, row.ignored = fade(max(0, row.accepted + accepted), max(0, row.ignored + ignored))
    row.save(update_fields=["learnt", "accepted", "ignored", "updated_at"])
