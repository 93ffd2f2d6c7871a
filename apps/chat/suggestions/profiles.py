"""The vectors of canned responses: noted when a response is written, made in the background, read all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs import enqueue
from apps.accounts.models import Job
from apps.chat import features
from apps.chat.features import SMART_SUGGESTIONS
from apps.chat.indexing.generations import chosen_model
from apps.chat.models import CannedResponse, ReplyProfile
from apps.chat.suggestions.packing import pack, unpack
from apps.chat.suggestions.ranking import Reply, Vector, is_same_matter, reply_text
from apps.vault.fields import open_columns
from apps.vault.messages.setting import account_in_scope

KIND = "suggestions.prepare"
ACTOR = Actor.system("smart suggestions")
DEBOUNCE = timedelta(seconds=2)
"""How long a changed response waits for more changes."""


@dataclass(frozen=True)
class Profiles:
    """All replies that can be compared by ``model``, and the ids of canned responses that can't be yet."""

    model: str
    replies: list[Reply] = field(default_factory=list)
    missing: list[UUID] = field(default_factory=list)


def is_wanted() -> bool:
    """Whether the account in scope wants suggestions; a project that is not ready yet is waited for."""
    return features.is_wanted(SMART_SUGGESTIONS, account_in_scope())


def note_replies(ids: Iterable[UUID], *, at_once: bool = False) -> None:
    """Note, in the caller's transaction, that the vectors of these canned responses have to be made anew.

    What was made beside (``rebuilding``) is taken back. While nobody wants suggestions, the job leaves it at that: they
    are made when somebody asks.
    """
    due_at = timezone.now() if at_once else timezone.now() + DEBOUNCE
    ReplyProfile.objects.bulk_create(
        [ReplyProfile(canned_response_id=one, due_at=due_at) for one in ids],
        update_conflicts=True,
        unique_fields=["account", "canned_response"],
        update_fields=["due_at", "next_model"],
    )


def not_in_line(ids: Sequence[UUID]) -> list[UUID]:
    """Those of ``ids`` whose vectors are not due already."""
    rows = ReplyProfile.objects.filter(canned_response_id__in=ids, due_at__isnull=False)
    due = set(rows.values_list("canned_response_id", flat=True))
    return [one for one in ids if one not in due]


def queue_preparing(actor: Actor) -> Job:
    """Put the making of vectors in line, once per account at a time."""
    return enqueue(KIND, actor=actor, dedupe_key="replies")


def serving_model() -> str:
    """The model that the account in scope compares by: that of the vectors in use, the chosen one while there is none.

    Another one takes over when all its vectors are there (``rebuilding``).
    """
    rows = ReplyProfile.objects.exclude(model="").order_by().values_list("model")
    of_each, chosen = dict(rows.annotate(number=Count("pk"))), chosen_model()
    return max(of_each, key=lambda model: (of_each[model], model == chosen), default=chosen)


def read_profiles(model: str) -> Profiles:
    """Those of the account in scope, in the order of their short codes. Two queries, however many there are."""
    names = ("id", "canned_response_id", "vector", "learnt", "accepted", "ignored", "due_at")
    stored = list(ReplyProfile.objects.filter(model=model).values_list(*names))
    opened = {
        row[1]: Reply(row[1], unpack(row[2]), row[4], row[5], unpack(row[3]))
        for row in open_columns(ReplyProfile, account_in_scope(), stored, {2: "vector", 3: "learnt"})
    }
    found = Profiles(model)
    for canned_id in CannedResponse.objects.order_by("short_code").values_list("id", flat=True):
        if canned_id in opened:
            found.replies.append(opened[canned_id])
        else:
            found.missing.append(canned_id)
    return found


@dataclass(frozen=True)
class Unembedded:
    """The text of a canned response, and since when its vector is due."""

    text: str
    due_at: datetime | None


def read_texts(ids: Sequence[UUID]) -> dict[UUID, Unembedded]:
    """What is embedded for these canned responses; those that are gone are left out."""
    due = dict(ReplyProfile.objects.filter(canned_response_id__in=ids).values_list("canned_response_id", "due_at"))
    rows = CannedResponse.objects.filter(pk__in=ids)
    return {row.pk: Unembedded(reply_text(row.short_code, row.content), due.get(row.pk)) for row in rows}


def keep_vectors(read: Mapping[UUID, Unembedded], vectors: Iterable[Vector], model: str) -> None:
    """Keep the vectors of what ``read_texts`` read. What was changed meanwhile stays due.

    When another model took over while they were made, they are no use, and what they are of stays due.
    """
    made = dict(zip(read, vectors, strict=True))
    still_there = CannedResponse.objects.filter(pk__in=made).values_list("id", flat=True)
    ReplyProfile.objects.bulk_create(
        [ReplyProfile(canned_response_id=one) for one in still_there], ignore_conflicts=True
    )
    rows = list(ReplyProfile.objects.select_for_update().filter(canned_response_id__in=made).order_by("id"))
    if model != serving_model():
        return
    for row in rows:
        put_in_place(row, made[row.canned_response_id], model)
        if row.due_at == read[row.canned_response_id].due_at:
            row.due_at = None
        row.save(update_fields=["vector", "learnt", "accepted", "ignored", "model", "due_at", "updated_at"])


def put_in_place(row: ReplyProfile, vector: Vector, model: str) -> None:
    """Set the vector that ``row`` is compared by from now on; the caller saves.

    What was learnt stays while a response is about the same matter, and goes with another model: means of vectors of
    two models say nothing.
    """
    if row.model != model or not is_same_matter(unpack(row.vector), vector):
        row.learnt, row.accepted, row.ignored = "", 0, 0
    row.vector, row.model = pack(vector), model
