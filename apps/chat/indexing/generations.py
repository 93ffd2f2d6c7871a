"""Which index serves, and building another beside it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from apps.chat.indexing.locking import hold
from apps.chat.models import IndexedMessage, IndexGeneration, Message
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.client.project import DEFAULT_MODEL

Status = IndexGeneration.Status
PLANNED_AT_ONCE = 5_000
PREFIX = "conversations"
"""What the namespaces of generations begin with."""
INDEXED_TYPES = (Message.Type.INCOMING, Message.Type.OUTGOING, Message.Type.NOTE)


def serving() -> IndexGeneration | None:
    """The generation that searches ask."""
    found: IndexGeneration | None = IndexGeneration.objects.filter(status=Status.SERVING).first()
    return found


def living() -> list[IndexGeneration]:
    """The generations that new messages go into: the one that serves, and one that is being built."""
    return list(IndexGeneration.objects.exclude(status=Status.RETIRED).order_by("number"))


def begin(generation: IndexGeneration | None = None) -> IndexGeneration:
    """Store a new, empty generation. The first one serves from the beginning."""
    generation = generation or IndexGeneration(status=Status.SERVING, model=chosen_model())
    generation.number = (IndexGeneration.objects.aggregate(latest=Max("number"))["latest"] or 0) + 1
    generation.namespace = f"{PREFIX}-{generation.number}"
    generation.save(force_insert=True)
    return generation


def chosen_model() -> str:
    """The embedding model that the account chose."""
    settings = AINativeProject.objects.values_list("settings", flat=True).first() or {}
    return str(settings.get("embeddings_model") or DEFAULT_MODEL)


def indexable() -> QuerySet[Message]:
    """The messages of the account in scope that belong into an index."""
    return Message.objects.filter(message_type__in=INDEXED_TYPES, is_private=False)


def plan(generation: IndexGeneration, *, now: datetime | None = None) -> int:
    """Note the next messages that ``generation`` has not been told of yet. Returns how many were looked at.

    In the order of their ids, a few thousand at a time, so that it goes on where it was stopped. In the end come those
    that were committed late, after others with higher ids.
    """
    now, wanted = now or timezone.now(), indexable()
    messages = wanted.filter(id__gt=generation.planned_up_to) if generation.planned_up_to else wanted
    found = list(messages.order_by("id").values_list("id", "conversation_id")[:PLANNED_AT_ONCE])
    note_messages([generation], found, due_at=now)
    if found:
        generation.planned_up_to = found[-1][0]
    if len(found) < PLANNED_AT_ONCE:
        hold(alone=True)
        known = IndexedMessage.objects.filter(generation=generation, message_id=OuterRef("pk"))
        late = wanted.filter(~Exists(known)).values_list("id", "conversation_id")
        note_messages([generation], list(late), due_at=now)
        generation.is_planned = True
    generation.save(update_fields=["planned_up_to", "is_planned", "updated_at"])
    return len(found)


def note_messages(generations: list[IndexGeneration], messages: list[tuple[UUID, UUID]], *, due_at: datetime) -> None:
    """Put ``(message, conversation)`` ids in line for each of ``generations``; those already in line stay."""
    rows = [
        IndexedMessage(generation=generation, message_id=message, conversation_id=conversation, due_at=due_at)
        for generation in generations
        for message, conversation in messages
    ]
    IndexedMessage.objects.bulk_create(rows, ignore_conflicts=True)


def settle_in(project_id: str) -> None:
    """Note what the account's project does not hold because it is not the one that was indexed into.

    A project is replaced when the installation moves to another service, and when one is entered by hand. What was in
    the old one went with it, or is out of reach.
    """
    for generation in IndexGeneration.objects.exclude(project=project_id):
        if generation.project:
            rows = IndexedMessage.objects.filter(generation=generation)
            rows.filter(state=IndexedMessage.State.REMOVING).delete()
            rows.update(state=IndexedMessage.State.PENDING, passages=0, due_at=timezone.now())
        generation.project = project_id
        generation.save(update_fields=["project", "updated_at"])


def cut_over(generation: IndexGeneration) -> None:
    """Let ``generation`` serve and retire the one before, in the transaction of the caller.

    Locked first: two that cut over at once would each see the other's old state.
    """
    living_rows = list(IndexGeneration.objects.select_for_update().exclude(status=Status.RETIRED).order_by("number"))
    for row in living_rows:
        if row.pk != generation.pk and row.status == Status.SERVING:
            retire(row)
    generation.status = Status.SERVING
    generation.save(update_fields=["status", "updated_at"])


def retire(generation: IndexGeneration) -> None:
    """Take a generation out of use: its vectors are removed by the same job."""
    generation.status = Status.RETIRED
    generation.save(update_fields=["status", "updated_at"])
    remove_all(generation)


def remove_all(generation: IndexGeneration) -> int:
    """Let the job remove what a generation has. Returns how many rows were not on their way out yet."""
    removing = IndexedMessage.State.REMOVING
    rows = IndexedMessage.objects.filter(generation=generation).exclude(state=removing)
    changed: int = rows.update(state=removing, due_at=timezone.now())
    return changed
