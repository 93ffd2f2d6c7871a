"""Sending an account's settings to its project: as the last step of making it, and after each change."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs import PermanentFailure, Retry, RunningJob, enqueue, job_kind
from apps.accounts.models import Job
from apps.integrations.models import AINativeProject
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.zerodb.client import NotFound, ProjectClient, project_client

CONFIGURE = "project.configure"
Status = AINativeProject.Status


def queue_settings(actor: Actor) -> Job:
    """Put sending the settings in line, in the transaction that changes them."""
    return enqueue(CONFIGURE, actor=actor)


def send_settings(job: RunningJob, own: ProjectClient) -> None:
    """Send what the account wants now, and again when that has changed meanwhile: of two jobs at once the slower one
    must not have the last word with what it read first.

    Raises NotFound when the project is gone, OutboundError.
    """
    sent: dict[str, Any] | None = None
    while (wanted := _wanted(job)) != sent:
        try:
            own.change_settings(wanted)
        except NotFound:
            own.get()  # a server without that route has the project all the same
        sent = wanted


def _wanted(job: RunningJob) -> dict[str, Any]:
    with job.scope():
        chosen: dict[str, Any] = AINativeProject.objects.values_list("settings", flat=True).get()
    features = chosen.get("features", {})
    return {
        "embeddings_model": chosen.get("embeddings_model"),
        "vector_dimensions": chosen.get("vector_dimensions"),
        "features": {
            "semantic_search": bool(features.get("semantic_search", True)),
            "vector_storage": bool(chosen.get("auto_indexing", True)),
            "agent_memory": bool(features.get("agent_memory", True)),
            "rlhf_collection": False,
        },
    }


def _give_up(job: RunningJob, reason: str) -> None:
    words = f"The settings did not reach the AI service. {reason} Save them once more to try again."
    AINativeProject.objects.filter(status=Status.READY).update(error=words, updated_at=timezone.now())


@job_kind(
    CONFIGURE, label="change of the AI project", max_attempts=60, base_delay=2.0, max_delay=1800.0, on_failure=_give_up
)
def configure(job: RunningJob) -> dict[str, bool]:
    """Handler of ``project.configure``. Without a project there is nothing to send: its provisioning will."""
    with job.scope():
        project = AINativeProject.objects.get()
        if not project.is_configured or project.is_elsewhere:
            return {"sent": False}
        key = str(project.api_key)  # opened here: the account's keys are rows of the account
    try:
        with project_client(project.project_id, key) as own:
            send_settings(job, own)
    except NotFound as error:
        raise PermanentFailure("The project is gone from the AI service.") from error
    except OutboundError as error:
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise Retry(str(error), at_least=error.retry_after) from error
    with job.scope():
        AINativeProject.objects.filter(status=Status.READY).update(error="", updated_at=timezone.now())
    return {"sent": True}
