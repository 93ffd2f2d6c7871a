"""What goes into the index and out of it, noted in the transaction that causes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.services.jobs import hasten_job
from apps.accounts.signals import feature_chosen
from apps.chat import features
from apps.chat.features import SEMANTIC_SEARCH
from apps.chat.indexing.generations import INDEXED_TYPES, begin, living, note_messages
from apps.chat.indexing.locking import hold
from apps.chat.indexing.reindexing import queue_indexing
from apps.chat.models import Conversation, IndexedMessage, IndexGeneration, Message
from apps.chat.signals import message_added
from apps.integrations.models import AINativeProject

_ACTOR = Actor.system("indexing")
DEBOUNCE = timedelta(seconds=2)
"""How long a change waits for more of its kind, so that a lively conversation is indexed in one go."""


def is_wanted(account_id: UUID) -> bool:
    """Whether the account in scope wants what is said to be indexed; a project that is not ready yet is waited for."""
    settings = AINativeProject.objects.values_list("settings", flat=True).first() or {}
    return features.is_wanted(SEMANTIC_SEARCH, account_id) and bool(settings.get("auto_indexing", True))


def to_plan(account_id: UUID) -> list[IndexGeneration]:
    """Generations of the account in scope that have missed something which is wanted in them.

    One that is being built was asked for: it takes all there is, also where nothing is indexed by itself.
    """
    wanted, on = is_wanted(account_id), features.is_wanted(SEMANTIC_SEARCH, account_id)
    missed = [row for row in living() if not row.is_planned]
    return [row for row in missed if wanted or (on and row.status == IndexGeneration.Status.BUILDING)]


def note_message(sender: Any, message: Message, **_: Any) -> None:
    """A message was added. While nobody wants it indexed, the index only learns that it has missed something."""
    if message.is_private or message.message_type not in INDEXED_TYPES:
        return
    hold()
    assert message.account_id is not None, "Messages belong to an account."
    if is_wanted(message.account_id):
        note([(message.id, message.conversation_id)])
    else:
        IndexGeneration.objects.filter(is_planned=True).update(is_planned=False)


def note(messages: list[tuple[UUID, UUID]]) -> None:
    """Put ``(message, conversation)`` ids in line for all generations that are kept up to date."""
    note_messages(living() or _first(), list(messages), due_at=timezone.now() + DEBOUNCE)


def _first() -> list[IndexGeneration]:
    """The account's first generation, whoever of several makes it."""
    try:
        with transaction.atomic():
            return [begin()]
    except IntegrityError:
        return living()


def note_removal(sender: Any, instance: Conversation, **_: Any) -> None:
    """A conversation is deleted, by itself or with its contact: its vectors have to go.

    After its messages, whose rows are locked by now: the job locks them before it says that they are indexed.
    """
    IndexedMessage.objects.filter(conversation_id=instance.pk).update(
        state=IndexedMessage.State.REMOVING, due_at=timezone.now()
    )


def catch_up(sender: Any, feature: str, actor: Actor, **_: Any) -> None:
    """The account switched search on: what was said meanwhile goes into the index."""
    if feature != SEMANTIC_SEARCH.name:
        return
    generations = living() or (_first() if Message.objects.exists() else [])
    if any(not generation.is_planned for generation in generations):
        queue_indexing(actor)


def project_ready(instance: AINativeProject, update_fields: Any = None, **_: Any) -> None:
    """The project has become ready, perhaps another one than before: what waits for it is tried now."""
    if instance.is_ready and (update_fields is None or "status" in update_fields) and IndexGeneration.objects.exists():
        hasten_job(queue_indexing(_ACTOR))


def connect() -> None:
    """Called once, at start-up."""
    message_added.connect(note_message, sender=Message, dispatch_uid="chat.index_message")
    feature_chosen.connect(catch_up, dispatch_uid="chat.catch_up_index")
    post_save.connect(project_ready, sender=AINativeProject, dispatch_uid="chat.project_ready")
    post_delete.connect(note_removal, sender=Conversation, dispatch_uid="chat.unindex_conversation")
