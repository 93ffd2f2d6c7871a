"""Building the index of an account anew, or for the first time."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.jobs import enqueue
from apps.accounts.models import Job
from apps.accounts.permissions import require
from apps.accounts.services.jobs import hasten_job
from apps.chat.features import SEMANTIC_SEARCH, require_wanted
from apps.chat.indexing.generations import Status, begin, chosen_model, retire
from apps.chat.indexing.leftovers import queue_forgetting
from apps.chat.models import IndexedMessage, IndexGeneration
from apps.integrations.zerodb.embedding import UnknownModel, resolve_model
from apps.vault.messages.setting import account_in_scope

KIND = "conversations.index"
_ONE = "index"


def queue_indexing(actor: Actor) -> Job:
    """Put the work of indexing in line, once per account at a time."""
    return enqueue(KIND, actor=actor, dedupe_key=_ONE)


def hurry() -> None:
    """Let what waits for more changes be indexed now."""
    waiting = IndexedMessage.objects.filter(state=IndexedMessage.State.PENDING, due_at__gt=timezone.now())
    waiting.update(due_at=timezone.now())


def go_on_now(*, actor: Actor) -> Job:
    """Work on what waits for its next try, or was given up, at once. Raises PermissionDenied."""
    require(actor, "project.update")
    hurry()
    job = queue_indexing(actor)
    if job.attempts:
        hasten_job(job)
    return job


def reindex(*, actor: Actor, model: str = "", rate: float | None = None) -> IndexGeneration:
    """Build a new index of all conversations beside the one in use; it takes over when it is whole.

    ``model``: another embedding model than the chosen one. ``rate``: texts per second at most. One that is being built
    already is given up for the new one, and vectors that nothing needs are removed.

    Raises PermissionDenied, FeatureOff, ValidationError naming the field.
    """
    require(actor, "project.update")
    require_wanted(SEMANTIC_SEARCH, account_in_scope())
    if model:
        try:
            model = resolve_model(model).name
        except UnknownModel as error:
            raise ValidationError({"model": str(error)}) from error
    generation = IndexGeneration(status=Status.BUILDING, model=model or chosen_model(), rate=rate)
    # First, as of whoever adds a message: the end of the trail is held until this commits, so it is one at a time.
    changes = {"model": generation.model}
    audit.record("index.rebuild_started", actor=actor, entity=generation, changes=changes)
    unfinished = IndexGeneration.objects.select_for_update().filter(status=Status.BUILDING).first()
    if unfinished is not None:
        retire(unfinished)
    begin(generation)
    generation.job = queue_indexing(actor)
    queue_forgetting(actor)
    generation.save(update_fields=["job", "updated_at"])
    return generation
