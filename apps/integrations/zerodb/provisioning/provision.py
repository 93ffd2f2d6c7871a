"""Making the project, once.

The service knows no idempotency key. So every create carries the account's mark in name and metadata, and from the
moment before a create is sent (``create_started_at``, committed) no other is sent without looking for the mark first.
What a crash leaves behind at any line is found again: the row says how far it got, the mark finds the rest.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.crash_points import crash_point
from apps.accounts.jobs import LeaseLost, PermanentFailure, Retry, RunningJob, job_kind
from apps.accounts.models import Account
from apps.integrations.models import AINativeProject
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.zerodb.client import (
    AccountClient,
    Forbidden,
    KeyRefused,
    LimitReached,
    NotConfigured,
    NotFound,
    Refused,
    account_client,
    project_client,
)
from apps.integrations.zerodb.client.answers import Project
from apps.integrations.zerodb.provisioning.configuring import send_settings
from apps.integrations.zerodb.provisioning.moving import drop_left_behind, leave_behind
from apps.integrations.zerodb.provisioning.requesting import KIND, STEPS
from apps.integrations.zerodb.provisioning.twins import (
    adopt,
    give_back,
    give_back_others,
    give_back_twin,
    holds_data,
    mark_of,
)

MAX_ATTEMPTS = 40
ACTOR = Actor.system("Provisioning")
Status = AINativeProject.Status


def give_up(job: RunningJob, reason: str) -> None:
    """Say at the project that nobody is setting it up any more, and why."""
    project = AINativeProject.objects.exclude(status=Status.READY).first()
    if project is None:
        return
    if "Given up" in reason:  # other reasons say what to do
        reason = f"{reason} Start it again when the cause is mended."
    project.status, project.error = Status.FAILED, reason
    project.save(update_fields=["status", "error", "updated_at"])
    audit.record("project.failed", actor=ACTOR, entity=project, changes={"error": reason})


@job_kind(
    KIND,
    label="set-up of the AI project",
    max_attempts=MAX_ATTEMPTS,
    base_delay=2.0,
    max_delay=1800.0,
    on_failure=give_up,
    is_awaited=True,
)
def provision(job: RunningJob) -> dict[str, str]:
    """Handler of ``project.provision``: ends with exactly one project at the service, stored and configured."""
    try:
        return _provision(job)
    except OutboundError as error:
        if error.permanent:
            raise PermanentFailure(_explained(error)) from error
        _note(job, str(error))
        raise Retry(str(error), at_least=error.retry_after) from error


def _provision(job: RunningJob) -> dict[str, str]:
    with job.scope():
        account = Account.objects.get(pk=job.account_id)
        project, _ = AINativeProject.objects.get_or_create(account=account)
        if project.is_ready:
            return {"project_id": project.project_id}
        if project.is_elsewhere:
            leave_behind(project)
        project.status = Status.PROVISIONING
        project.save(update_fields=["status", "updated_at"])
        job.progress(1 if project.project_id else 0, STEPS)
        key = project.api_key  # opened here: the account's keys are rows of the account, out of reach without its scope
    tried_before = project.create_started_at is not None
    if not project.project_id:
        with account_client() as client:
            key = _obtain(job, client, account, project)
    if tried_before:
        # A create of the earlier attempt may have arrived after we looked for it.
        with account_client() as client:
            give_back_others(client, account.id, kept=project.project_id)
    _configure(job, project, str(key))
    crash_point("provision.after_configure")
    drop_left_behind(job.account_id)
    with job.scope():
        project.status, project.error, project.provisioned_at = Status.READY, "", timezone.now()
        project.save(update_fields=["status", "error", "provisioned_at", "updated_at"])
        audit.record(
            "project.provisioned",
            actor=ACTOR,
            entity=project,
            label=account.name,
            changes={"project_id": project.project_id},
        )
        job.progress(STEPS)
    return {"project_id": project.project_id}


def _configure(job: RunningJob, project: AINativeProject, key: str) -> None:
    try:
        with project_client(project.project_id, key) as own:
            send_settings(job, own)
    except NotFound:
        with job.scope():
            AINativeProject.objects.filter(project_id=project.project_id).update(project_id="", key_ending="")
        raise Retry("The project is gone from the AI service; another one is being made.", after=0) from None


def _obtain(job: RunningJob, client: AccountClient, account: Account, project: AINativeProject) -> str:
    """Adopt or create the project and store its id and key. Returns the key."""
    remote = adopt(client, account.id) if project.create_started_at else None
    if remote is None:
        remote = _create(job, client, account, project)
    try:
        crash_point("provision.after_create")
        key = remote.api_key or _key_of_keyless(client, remote)
        if not key:
            # Nothing was ever in it and nobody can ever get in: give it back, and let the next attempt begin anew.
            give_back(client, remote)
            raise Retry("A project was found without its key and given back; another one is being made.", after=0)
        with job.scope():
            now = AINativeProject.objects.select_for_update().get(pk=project.pk)
            if now.is_configured:  # entered by hand meanwhile
                raise LeaseLost("The project was entered by hand; the one made here is not needed.")
            project.take_credentials(remote.id, key)
            project.save(update_fields=["server", "project_id", "api_key", "key_ending", "updated_at"])
            job.progress(1, STEPS)
    except LeaseLost:
        give_back_twin(client, job.account_id, remote)
        raise
    crash_point("provision.after_store")
    return key


def _create(job: RunningJob, client: AccountClient, account: Account, project: AINativeProject) -> Project:
    with job.scope():
        project.create_started_at = timezone.now()
        project.save(update_fields=["create_started_at", "updated_at"])
    crash_point("provision.before_create")
    return client.create_project(
        name=f"{mark_of(account.id)} {account.name}"[:100],
        description=f"Project of the account {account.name}, made by Strongroom.",
        tier=settings.ZERODB_PROJECT_TIER,
        settings={
            "embeddings_model": project.settings.get("embeddings_model"),
            "vector_dimensions": project.settings.get("vector_dimensions"),
        },
        metadata={
            "strongroom_account_id": str(account.id),
            "strongroom_account_name": account.name,
            "created_via": "strongroom_auto_provision",
        },
    )


def _key_of_keyless(client: AccountClient, remote: Project) -> str | None:
    """A key for an adopted project, None when it has to be given back. Raises PermanentFailure when it holds data."""
    try:
        return client.new_project_key(remote.id)
    except Refused as refusal:
        if refusal.status not in {404, 405}:  # not every server gives a second key
            raise
        if not holds_data(remote):
            return None
        raise PermanentFailure(
            f"The project {remote.id} of this account exists at the AI service and holds data, but its key is lost. "
            "Get a key from the service and enter it by hand."
        ) from None


def _explained(error: OutboundError) -> str:
    if isinstance(error, NotConfigured):
        return f"{error} The operator does so and starts provisioning again."
    if isinstance(error, KeyRefused | Forbidden):
        return (
            f"{error} The AI service does not accept the platform's master key. The operator checks "
            "ZERODB_MASTER_API_KEY and starts provisioning again."
        )
    if isinstance(error, LimitReached):
        return (
            f"{error} The platform's plan at the AI service allows no more projects. The operator raises the plan or "
            "removes unused projects, and starts provisioning again."
        )
    return f"{error} Trying again would not help; the operator looks at the cause and starts provisioning again."


def _note(job: RunningJob, reason: str) -> None:
    with job.scope():
        # One that was entered by hand meanwhile is ready, whatever became of ours.
        AINativeProject.objects.exclude(status=Status.READY).update(status=Status.PENDING, error=reason)
