"""The features that keep vectors, and how those of each are made anew (``manage.py reindex``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.features import Feature
from apps.accounts.models import Job
from apps.chat.features import AGENT_MEMORY, SEMANTIC_SEARCH, SMART_SUGGESTIONS, require_wanted
from apps.chat.indexing import pacing
from apps.chat.indexing.generations import indexable
from apps.chat.indexing.progress import index_progress
from apps.chat.indexing.reindexing import hurry, queue_indexing, reindex
from apps.chat.memory import rebuilding as facts
from apps.chat.models import CannedResponse
from apps.chat.suggestions import rebuilding as replies
from apps.vault.messages.setting import account_in_scope


@dataclass(frozen=True)
class Rebuildable:
    """Vectors of one feature. All functions work in the scope of an account.

    ``things`` and ``done`` are words for its progress: "12 of 12 messages indexed". ``begin(actor, model, rate)`` and
    ``go_on(actor)`` put a job in line; ``go_on`` answers None when nothing was begun that is not done.
    ``how`` tells what serves meanwhile, and what becomes of another model.
    """

    name: str
    feature: Feature
    things: str
    done: str
    how: str
    count: Callable[[], int]
    begin: Callable[[Actor, str, float | None], Job]
    go_on: Callable[[Actor], Job | None]
    progress: Callable[[Job], tuple[int, int]]

    def require_on(self) -> None:
        """Raises FeatureOff when the account does not have the feature; what waits for its project has it."""
        require_wanted(self.feature, account_in_scope())


def _begin_index(actor: Actor, model: str, rate: float | None) -> Job:
    reindex(actor=actor, model=model, rate=rate)
    return _go_on_with_index(actor)


def _go_on_with_index(actor: Actor) -> Job:
    hurry()
    return queue_indexing(actor)


def _index_progress(job: Job) -> tuple[int, int]:
    progress = index_progress()
    return progress.indexed, progress.total


def _job_progress(job: Job) -> tuple[int, int]:
    return job.done, job.total or 0


ALL = (
    Rebuildable(
        name="conversations",
        feature=SEMANTIC_SEARCH,
        things="messages",
        done="indexed",
        how="the index that semantic search asks; the one in use serves until the new one is whole",
        count=lambda: indexable().count(),
        begin=_begin_index,
        go_on=_go_on_with_index,
        progress=_index_progress,
    ),
    Rebuildable(
        name="suggestions",
        feature=SMART_SUGGESTIONS,
        things="canned responses",
        done="prepared",
        how="what canned responses are suggested by; what is in use serves until all of it is there. Follows by itself "
        "when the account chooses another model",
        count=CannedResponse.objects.count,
        begin=lambda actor, _, rate: replies.rebuild_replies(actor=actor, rate=rate),
        go_on=lambda actor: pacing.go_on(replies.KIND, actor=actor),
        progress=_job_progress,
    ),
    Rebuildable(
        name="memory",
        feature=AGENT_MEMORY,
        things="facts",
        done="prepared",
        how="what facts about contacts are recalled by; each takes its place at once, since facts of one contact are "
        "always compared by the chosen model, and what is not there yet is made when they are recalled",
        count=lambda: facts.remembered().count(),
        begin=lambda actor, _, rate: facts.rebuild_memories(actor=actor, rate=rate),
        go_on=lambda actor: pacing.go_on(facts.KIND, actor=actor),
        progress=_job_progress,
    ),
)


def make_due(job: Job) -> None:
    """Let whoever takes the job first run it now."""
    Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED).update(next_attempt_at=timezone.now())
