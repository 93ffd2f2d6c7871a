"""Making the vectors of all remembered facts anew: the work of the job ``memories.rebuild``.

Nothing is built beside: facts are recalled of one contact at a time, always by the chosen model, and whatever has no
vector by it yet gets one then. So every fact can be recalled all the while, and models never mix.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.crash_points import crash_point
from apps.accounts.jobs import PermanentFailure, RunningJob
from apps.accounts.metering import Line, metered
from apps.accounts.models import Job
from apps.accounts.permissions import require
from apps.chat.features import AGENT_MEMORY, is_wanted, require_wanted
from apps.chat.indexing import pacing, vectors
from apps.chat.indexing.embedding import kept
from apps.chat.indexing.generations import chosen_model
from apps.chat.indexing.secrets import without_secrets
from apps.chat.indexing.waiting import told_to_the_job
from apps.chat.models import ContactMemory
from apps.integrations.zerodb.client import ProjectClient
from apps.vault.messages.setting import account_in_scope

KIND = "memories.rebuild"
ACTOR = Actor.system("agent memory")


def remembered() -> Any:
    """The facts that are recalled."""
    return ContactMemory.objects.filter(state=ContactMemory.State.REMEMBERED)


def rebuild_memories(*, actor: Actor, rate: float | None = None) -> Job:
    """Make all vectors anew by the chosen model. ``rate``: texts per second. Raises PermissionDenied, FeatureOff."""
    require(actor, "project.update")
    require_wanted(AGENT_MEMORY, account_in_scope())
    remembered().update(is_due=True)
    job = pacing.begin(KIND, actor=actor, rate=rate)
    audit.record("memory.rebuild_started", actor=actor, entity=job, changes={"model": chosen_model()})
    return job


def run(job: RunningJob) -> dict[str, Any]:
    """Work until nothing is due. Raises Retry, PermanentFailure with words for people."""
    with told_to_the_job(), ExitStack() as opened:
        with job.scope():
            client = opened.enter_context(vectors.project(in_background=True))
        made = pacing.work_off(job, lambda number, wish: _do_some(job, client, number, wish))
    return {"prepared": made}


def _do_some(job: RunningJob, client: ProjectClient, number: int, wish: pacing.Wish) -> int | None:
    with job.scope():
        if not is_wanted(AGENT_MEMORY, job.account_id):
            raise PermanentFailure("Agent memory was switched off meanwhile.")
        read = {row.pk: row.content for row in remembered().filter(is_due=True).order_by("id")[:number]}
        model = chosen_model()
        if not read:
            ContactMemory.objects.filter(is_due=True).update(is_due=False)  # dismissed meanwhile
            return None
    crash_point("memories.before_embed")
    # The name is of this attempt and what is in it: what is sent again after a crash is counted once.
    key = f"memories:{wish['begun']}:{next(iter(read))}:{len(read)}"
    line = Line("embeddings", len(read), "zerodb")
    with metered("zerodb", line, actor=ACTOR, account=job.account_id, idempotency_key=key):
        made = client.generate([without_secrets(text) for text in read.values()], model=model)
    crash_point("memories.before_keep")
    with job.scope():
        new = dict(zip(read, made.vectors, strict=True))
        rows = ContactMemory.objects.select_for_update(of=("self",)).filter(pk__in=new).order_by("id")
        for row in rows:
            if row.content == read[row.pk]:  # else it is read again
                row.embedding, row.is_due = {"model": model, "vector": kept(new[row.pk])}, False
                row.save(update_fields=["embedding", "is_due"])
        left, total = remembered().filter(is_due=True).count(), remembered().count()
        job.progress(total - left, total)
    return len(read)
