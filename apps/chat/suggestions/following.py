"""What suggestions learn of by signals: answers that were sent, and the feature being switched on."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from apps.accounts.actors import Actor
from apps.accounts.services.jobs import hasten_job
from apps.accounts.signals import feature_chosen
from apps.chat.features import SMART_SUGGESTIONS
from apps.chat.models import CannedResponse, Conversation, Message, ReplyProfile
from apps.chat.signals import message_added
from apps.chat.suggestions.offers import close_offers
from apps.chat.suggestions.profiles import ACTOR, note_replies, queue_preparing
from apps.integrations.models import AINativeProject

_BY_PEOPLE = {Message.Sender.MEMBER, Message.Sender.API_KEY}


def note_answer(sender: Any, message: Message, conversation: Conversation, **_: Any) -> None:
    """Somebody answered; what an assistant says tells nothing of what people would have taken."""
    if message.message_type == Message.Type.OUTGOING and message.sender_type in _BY_PEOPLE:
        close_offers(conversation, message)


def catch_up(sender: Any, feature: str, actor: Actor, **_: Any) -> None:
    """The account switched suggestions on: what was written meanwhile is prepared."""
    if feature == SMART_SUGGESTIONS.name:
        ready = ReplyProfile.objects.exclude(model="").values("canned_response_id")
        note_replies(CannedResponse.objects.exclude(pk__in=ready).values_list("id", flat=True))


def project_ready(instance: AINativeProject, update_fields: Any = None, **_: Any) -> None:
    """The project has become ready: what was tried too early is tried now."""
    is_new = instance.is_ready and (update_fields is None or "status" in update_fields)
    if is_new and ReplyProfile.objects.exclude(due_at=None).exists():
        hasten_job(queue_preparing(ACTOR))


def connect() -> None:
    """Called once, at start-up."""
    message_added.connect(note_answer, sender=Message, dispatch_uid="chat.close_suggestions")
    post_save.connect(project_ready, sender=AINativeProject, dispatch_uid="chat.project_ready_for_suggestions")
    feature_chosen.connect(catch_up, dispatch_uid="chat.catch_up_suggestions")
