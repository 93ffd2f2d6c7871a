"""Making the vectors of all canned responses anew, beside those in use, which serve until the new ones are whole.

The work of the job ``suggestions.rebuild``. May be killed at any line: each vector is kept beside the one in use as it
is made, and all take over in one transaction. Whoever rewrites a response meanwhile takes its new vector back.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.crash_points import crash_point
from apps.accounts.jobs import PermanentFailure, RunningJob
from apps.accounts.metering import Line, metered
from apps.accounts.models import Job
from apps.accounts.permissions import require
from apps.chat.features import SMART_SUGGESTIONS, require_wanted
from apps.chat.indexing import pacing, vectors
from apps.chat.indexing.generations import chosen_model
from apps.chat.indexing.secrets import without_secrets
from apps.chat.indexing.waiting import told_to_the_job
from apps.chat.models import CannedResponse, ReplyProfile
from apps.chat.suggestions.packing import pack, unpack
from apps.chat.suggestions.profiles import ACTOR, Unembedded, is_wanted, put_in_place, read_texts, serving_model
from apps.chat.suggestions.ranking import Vector
from apps.integrations.zerodb.client import ProjectClient
from apps.vault.messages.setting import account_in_scope

KIND = "suggestions.rebuild"
_TRIED_AGAIN = timedelta(hours=1)


def rebuild_replies(*, actor: Actor, rate: float | None = None) -> Job:
    """Make all vectors anew by the chosen model. ``rate``: texts per second at most.

    What is being built is given up for it. Raises PermissionDenied, FeatureOff.
    """
    require(actor, "project.update")
    require_wanted(SMART_SUGGESTIONS, account_in_scope())
    return _begin(actor, rate)


def follow_choice() -> None:
    """Build beside by the chosen model when it is not the one in use. What can't be built is not tried all the time."""
    if serving_model() == chosen_model():
        return
    last = Job.objects.filter(kind=KIND).order_by("-created_at").first()
    if last is None or (last.is_finished and not _has_just_failed(last)):
        _begin(ACTOR, None)


def _has_just_failed(job: Job) -> bool:
    is_done = job.status == Job.Status.DONE
    return not is_done and job.finished_at is not None and job.finished_at > timezone.now() - _TRIED_AGAIN


def _begin(actor: Actor, rate: float | None) -> Job:
    model = chosen_model()
    ReplyProfile.objects.exclude(next_model="").update(next_model="")
    job = pacing.begin(KIND, actor=actor, model=model, rate=rate)
    audit.record("suggestion.rebuild_started", actor=actor, entity=job, changes={"model": model})
    return job


def run(job: RunningJob) -> dict[str, Any]:
    """Work until the new ones serve. Raises Retry, PermanentFailure with words for people."""
    with told_to_the_job(), ExitStack() as opened:
        with job.scope():
            client = opened.enter_context(vectors.project(in_background=True))
        made = pacing.work_off(job, lambda number, wish: _do_some(job, client, number, wish))
    return {"prepared": made}


def _do_some(job: RunningJob, client: ProjectClient, number: int, wish: pacing.Wish) -> int | None:
    model: str = wish["model"]
    with job.scope():
        if not is_wanted():
            raise PermanentFailure("Smart suggestions were switched off meanwhile.")
        if wish.get("is_done"):
            return None
        read = read_texts(_to_do(model)[:number])
        if not read:
            _cut_over(job, wish)
    if not read:
        crash_point("suggestions.cut_over")
        return 0
    crash_point("suggestions.before_embed")
    texts, first = [without_secrets(one.text) for one in read.values()], next(iter(read))
    # The name is of this attempt and what is in it: what is sent again after a crash is counted once.
    key = f"suggestions:{wish['begun']}:{first}:{len(texts)}"
    line = Line("embeddings", len(texts), "zerodb")
    with metered("zerodb", line, actor=ACTOR, account=job.account_id, idempotency_key=key):
        made = client.generate(texts, model=model)
    crash_point("suggestions.before_keep")
    with job.scope():
        _keep(read, made.vectors, model)
        total = CannedResponse.objects.count()
        job.progress(total - len(_to_do(model)), total)
    return len(read)


def _to_do(model: str) -> list[UUID]:
    """Canned responses without a new vector by ``model``, the oldest first."""
    ready = ReplyProfile.objects.filter(next_model=model).values("canned_response_id")
    return list(CannedResponse.objects.exclude(pk__in=ready).order_by("id").values_list("id", flat=True))


def _keep(read: dict[UUID, Unembedded], made: Iterable[Vector], model: str) -> None:
    """Keep the new vectors of what was not rewritten meanwhile: whoever does so waits for these rows, or was first."""
    new = dict(zip(read, made, strict=True))
    there = CannedResponse.objects.filter(pk__in=new).values_list("id", flat=True)
    ReplyProfile.objects.bulk_create([ReplyProfile(canned_response_id=one) for one in there], ignore_conflicts=True)
    rows = list(ReplyProfile.objects.select_for_update(of=("self",)).filter(canned_response_id__in=new).order_by("id"))
    texts = read_texts(list(new))
    for row in rows:
        now = texts.get(row.canned_response_id)
        if now is not None and now.text == read[row.canned_response_id].text:
            row.next_model, row.next_vector = model, pack(new[row.canned_response_id])
            row.save(update_fields=["next_model", "next_vector", "updated_at"])


def _cut_over(job: RunningJob, wish: pacing.Wish) -> None:
    """Let the new vectors serve, all at once, unless one was taken back just now, or somebody began anew."""
    model = wish["model"]
    rows = list(ReplyProfile.objects.select_for_update(of=("self",)).order_by("id"))
    if _to_do(model) or not pacing.is_done(job, wish):
        return
    ready = [row for row in rows if row.next_model == model]
    for row in ready:
        put_in_place(row, unpack(row.next_vector), model)
        row.next_model, row.next_vector, row.due_at = "", None, None
        row.save()
    changes = {"model": model, "responses": len(ready)}
    audit.record("suggestion.rebuilt", actor=ACTOR, entity=Job(pk=job.id), changes=changes)
    job.progress(len(ready), len(ready))
