"""Suggesting canned responses for what a customer last said, and learning from what people take."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.db import models

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.features import require_feature
from apps.accounts.permissions import require
from apps.chat.features import SMART_SUGGESTIONS
from apps.chat.indexing.embedding import embed
from apps.chat.models import CannedResponse, Conversation, ReplyOffer
from apps.chat.suggestions import offers, profiles, ranking
from apps.chat.suggestions.likeness import same_matter
from apps.chat.suggestions.packing import unpack
from apps.chat.suggestions.ranking import OFFERED
from apps.chat.suggestions.rebuilding import follow_choice
from apps.vault.messages.setting import account_in_scope

MOST = 10
LAZILY = 8
"""Canned responses whose vectors are made while somebody waits; more are prepared in the background."""


class Choice(models.TextChoices):
    """What somebody made of a suggestion."""

    ACCEPTED = "accepted", "Taken for the answer"
    IGNORED = "ignored", "Not what is needed"


class NothingAsked(Exception):
    """The customer has said nothing in the conversation: there is nothing to suggest for."""


class AlreadyAnswered(Exception):
    """The customer was answered meanwhile, so that nothing more is counted for the message."""


@dataclass(frozen=True)
class Suggested:
    """A canned response that fits. ``score``: 0 to 1."""

    canned: CannedResponse
    score: float
    is_accepted: bool = False

    @property
    def percent(self) -> int:
        """The score for people."""
        return round(100 * self.score)


@dataclass(frozen=True)
class Suggestions:
    """The best first. ``message_id``: the last message of the question; None when nothing was asked yet.

    ``preparing``: canned responses that can't be compared yet and will be in a few seconds. ``replies``: those that
    there are at all.
    """

    message_id: UUID | None = None
    found: list[Suggested] = field(default_factory=list)
    preparing: int = 0
    replies: int = 0


def suggest(conversation: Conversation, *, actor: Actor, limit: int = OFFERED, are_seen: bool = False) -> Suggestions:
    """Up to ``limit`` canned responses for the customer's last messages, and none that does not fit well enough.

    ``are_seen``: they are shown to somebody who may answer, so that not taking one says something about it.
    Raises PermissionDenied, FeatureOff, NoProject, LimitReached, OutboundError.
    """
    require(actor, "suggestions.view")
    require_feature(SMART_SUGGESTIONS.name, account_in_scope())
    asked = offers.question_ids(conversation)
    if not asked:
        return Suggestions(replies=CannedResponse.objects.count())
    follow_choice()
    model = profiles.serving_model()
    known = profiles.read_profiles(model)
    if not known.replies and not known.missing:
        return Suggestions(asked[-1])
    offer, known = _made_ready(conversation, asked, known, actor)
    threshold = same_matter(model, [one.vector for one in known.replies])
    chosen = ranking.suggest(unpack(offer.question), known.replies, threshold=threshold, limit=limit)
    if are_seen:
        offers.note_shown(offer, [one.id for one in chosen])
    rows = CannedResponse.objects.in_bulk([one.id for one in chosen])
    found = [Suggested(rows[one.id], one.score, one.id == offer.accepted_id) for one in chosen if one.id in rows]
    return Suggestions(asked[-1], found, len(known.missing), len(known.replies) + len(known.missing))


def record_choice(conversation: Conversation, canned: CannedResponse, choice: Choice, *, actor: Actor) -> ReplyOffer:
    """Keep that ``canned`` was taken for the customer's last messages, or was not what is needed, and learn from it.

    Each message counts once: another choice takes the place of the one before, until the customer is answered.
    Raises PermissionDenied, FeatureOff, NothingAsked, AlreadyAnswered, NoProject, LimitReached, OutboundError.
    """
    require(actor, "suggestions.choose")
    require_feature(SMART_SUGGESTIONS.name, account_in_scope())
    asked = offers.question_ids(conversation)
    if not asked:
        raise NothingAsked("The customer has not said anything yet.")
    offer, _ = _made_ready(conversation, asked, profiles.read_profiles(profiles.serving_model()), actor)
    held: ReplyOffer = ReplyOffer.objects.select_for_update().get(pk=offer.pk)
    is_accepted = held.accepted_id == canned.pk
    if is_accepted if choice == Choice.ACCEPTED else str(canned.pk) in held.ignored:
        return held
    if held.answered_at is not None:
        raise AlreadyAnswered("The customer was answered meanwhile.")
    (offers.accept if choice == Choice.ACCEPTED else offers.ignore)(held, canned.pk)
    audit.record(f"suggestion.{choice}", actor=actor, entity=canned, label=str(canned))
    return held


def _made_ready(
    conversation: Conversation, asked: list[UUID], known: profiles.Profiles, actor: Actor
) -> tuple[ReplyOffer, profiles.Profiles]:
    """The vectors that are still missing: that of the question, and of a few replies; many are left to a job."""
    offer = offers.offer_for(asked[-1], known.model)
    unread = profiles.read_texts(known.missing) if len(known.missing) <= LAZILY else {}
    if offer is not None and not unread:
        _leave_to_job(known)
        return offer, known
    texts = [one.text for one in unread.values()]
    made = embed([*texts, *([] if offer else [offers.question_of(asked)])], actor=actor, model=known.model)
    if offer is None:
        offer = offers.keep_question(conversation, asked[-1], made.vectors[-1], made.model)
    if unread:
        profiles.keep_vectors(unread, made.vectors[: len(unread)], made.model)
        known = profiles.read_profiles(made.model)
    _leave_to_job(known)
    return offer, known


def _leave_to_job(known: profiles.Profiles) -> None:
    """Those that are in line already stay as they are: what is noted anew would be made once more."""
    if known.missing:
        profiles.note_replies(profiles.not_in_line(known.missing), at_once=True)
        profiles.queue_preparing(profiles.ACTOR)
