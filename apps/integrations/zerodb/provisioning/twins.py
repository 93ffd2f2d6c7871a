"""An account's projects at the service: finding them by their mark, keeping one, giving the others back."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.models import Job
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.client import AccountClient, NotFound
from apps.integrations.zerodb.client.answers import Project
from apps.integrations.zerodb.provisioning.requesting import KIND

_MARK = "strongroom:"
_CONTENT = ("vectors_stored", "tables_created", "events_logged", "memories_stored", "feedback_stored")


def mark_of(account_id: UUID) -> str:
    """What tells a project of this account from all others at the service."""
    return f"{_MARK}{account_id}"


def account_of(remote: Project) -> UUID | None:
    """The account whose mark the project's name bears, None when it bears none."""
    mark = remote.name.split(" ")[0]
    try:
        return UUID(mark.removeprefix(_MARK)) if mark.startswith(_MARK) else None
    except ValueError:
        return None


def is_alive(remote: Project) -> bool:
    """Whether it is not deleted."""
    return remote.status != "DELETED"


def adopt(client: AccountClient, account_id: UUID) -> Project | None:
    """The project that an earlier attempt made; its twins, should there be any, are given back."""
    found = sorted(_ours(client, account_id), key=lambda project: project.id)
    if not found:
        return None
    kept = client.get_project(found[0].id)
    give_back_others(client, account_id, kept=kept.id)
    return kept


def give_back_others(client: AccountClient, account_id: UUID, *, kept: str) -> None:
    """Give back every project of the account but ``kept`` and those that hold data."""
    for found in _ours(client, account_id):
        if found.id != kept and not holds_data(twin := client.get_project(found.id)):
            give_back(client, twin)


def give_back_twin(client: AccountClient, account_id: UUID, remote: Project) -> None:
    """Another attempt owns the job now; what this one made must not stay behind.

    While that attempt has stored nothing it may be about to store this very project, so it is left to it: it adopts it
    or gives it back. Nobody begins a new attempt while the row is held here.
    """
    with tenant(account_id):
        stored = AINativeProject.objects.select_for_update().values_list("project_id", flat=True).first()
        if stored != remote.id and (stored or not is_being_set_up()):
            give_back(client, remote)


def is_being_set_up() -> bool:
    """Whether a job of the account in scope is at it, or will be."""
    return Job.objects.filter(kind=KIND, status__in=[Job.Status.QUEUED, Job.Status.RUNNING]).exists()


def holds_data(remote: Project) -> bool:
    """Whether the service counts anything in the project."""
    return any(remote.usage.get(name) for name in _CONTENT)


def is_known_empty(remote: Project) -> bool:
    """Whether the service says, rather than leaves out, that nothing is in the project."""
    return "vectors_stored" in remote.usage and not holds_data(remote) and not remote.usage.get("storage_mb")


def give_back(client: AccountClient, remote: Project) -> None:
    """Delete a project; one that is gone already is fine. Raises OutboundError."""
    give_back_by_id(client, remote.id)


def give_back_by_id(client: AccountClient, project_id: str) -> None:
    """The same where no more is known than its id."""
    try:
        client.delete_project(project_id)
    except NotFound:
        return


def _ours(client: AccountClient, account_id: UUID) -> list[Project]:
    return [
        project
        for project in client.projects()
        if is_alive(project)
        and (account_of(project) == account_id or project.metadata.get("strongroom_account_id") == str(account_id))
    ]
