"""Making the vectors of canned responses: the work of the job ``suggestions.prepare``, and finding who needs it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.jobs import PermanentFailure, RunningJob
from apps.accounts.metering import Line, metered
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.indexing import vectors
from apps.chat.indexing.embedding import AT_ONCE
from apps.chat.indexing.secrets import without_secrets
from apps.chat.indexing.waiting import told_to_the_job
from apps.chat.models import ReplyProfile
from apps.chat.suggestions.profiles import (
    ACTOR,
    Unembedded,
    is_wanted,
    keep_vectors,
    queue_preparing,
    read_texts,
    serving_model,
)
from apps.integrations.zerodb.client import ProjectClient


def run(job: RunningJob) -> dict[str, Any]:
    """Work until nothing is due. May be killed at any line. Raises Retry, PermanentFailure with words for people."""
    made = 0
    try:
        with told_to_the_job(), ExitStack() as opened:
            with job.scope():
                client = opened.enter_context(vectors.project(in_background=True))
            while read := _read_some(job):
                _embed(job, client, read)
                made += len(read)
    except PermanentFailure:
        _give_up(job)
        raise
    return {"prepared": made}


def _give_up(job: RunningJob) -> None:
    """What can't be made now is made when somebody asks for it."""
    with job.scope():
        ReplyProfile.objects.exclude(due_at=None).update(due_at=None)


def sweep() -> int:
    """Put the work in line for each active account with something due. Returns for how many."""
    with platform("find accounts with canned responses to prepare"):
        due = ReplyProfile.objects.filter(due_at__lte=timezone.now())
        ids = due.order_by().values_list("account_id", flat=True).distinct()
        active = list(
            Account.objects.filter(pk__in=list(ids), status=Account.Status.ACTIVE).values_list("id", flat=True)
        )
    for account_id in active:
        with tenant(account_id):
            queue_preparing(ACTOR)
    return len(active)


def _read_some(job: RunningJob) -> dict[UUID, Unembedded]:
    with job.scope():
        due = ReplyProfile.objects.filter(due_at__lte=timezone.now())
        if not is_wanted():
            due.update(due_at=None)
            return {}
        return read_texts(list(due.order_by("due_at", "id").values_list("canned_response_id", flat=True)[:AT_ONCE]))


def _embed(job: RunningJob, client: ProjectClient, read: dict[UUID, Unembedded]) -> None:
    """Outside of any scope: no transaction waits for the service."""
    with job.scope():
        model = serving_model()
    texts = [without_secrets(one.text) for one in read.values()]
    with metered("zerodb", Line("embeddings", len(texts), "zerodb"), actor=ACTOR, account=job.account_id):
        made = client.generate(texts, model=model)
    with job.scope():
        keep_vectors(read, made.vectors, model)
