"""Leaving a project at a server that is not in use any more, when the installation has moved to another one.

What it held is made anew from the account's own data. The embedded server's project is removed once the new one is
there: what is deleted later would stay in it for ever. One at a service elsewhere is out of reach by then, and is
named in the trail.
"""

from __future__ import annotations

from uuid import UUID

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import platform
from apps.integrations.models import AINativeProject, ZeroProject
from apps.integrations.models.ainative_project import server_in_use
from apps.integrations.zerodb.client import is_embedded
from apps.integrations.zerodb.client.connect import embedded_account_client
from apps.integrations.zerodb.provisioning.twins import give_back_by_id, mark_of

ACTOR = Actor.system("Provisioning")


def leave_behind(project: AINativeProject) -> None:
    """Forget id and key of a project that lies elsewhere, in its account's scope."""
    changes = {"project_id": project.project_id, "server": project.server or "embedded"}
    audit.record("project.left_behind", actor=ACTOR, entity=project, changes=changes)
    project.project_id, project.api_key, project.key_ending = "", None, ""
    project.server, project.entered_by_hand, project.create_started_at = server_in_use(), False, None
    project.status = AINativeProject.Status.PROVISIONING
    project.save()


def drop_left_behind(account_id: UUID) -> None:
    """Remove what the account left in the embedded server, which is not in use any more."""
    if is_embedded():
        return
    with platform("find what an account left in the embedded ZeroDB server"):
        marked = ZeroProject.objects.filter(name__startswith=mark_of(account_id), implicit=False)
        left = list(marked.exclude(status=ZeroProject.Status.DELETED).values_list("public_id", flat=True))
    if left:
        with embedded_account_client() as client:
            for project_id in left:
                give_back_by_id(client, project_id)
