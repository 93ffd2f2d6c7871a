"""Removing for good what was deleted long ago."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from apps.accounts.tenancy.scope import platform
from apps.integrations.models import ZeroKey, ZeroProject
from apps.integrations.models.zerodb_owned import ProjectModel
from apps.integrations.zerodb.server import walls

KEPT_AFTER_DELETION = timedelta(days=30)
AT_ONCE = 5000
"""Rows removed in one transaction."""


def purge_deleted_projects() -> int:
    """Empty the projects deleted longer than KEPT_AFTER_DELETION ago. Returns how many.

    What a crash interrupts the next call takes up. The project's bare row stays, so that its id is never used again.
    """
    with platform("find ZeroDB projects deleted a month ago"):
        due = list(
            ZeroProject.objects.filter(
                status=ZeroProject.Status.DELETED, deleted_at__lt=timezone.now() - KEPT_AFTER_DELETION
            ).values_list("id", "caller_id")
        )
    for project_id, caller_id in due:
        _empty(project_id, caller_id)
    return len(due)


def _empty(project_id: UUID, caller_id: UUID) -> None:
    # What was declared last first: a table takes its rows with it, all at once.
    for model in reversed(ProjectModel.__subclasses__()):
        while _removed_some(model, project_id):
            pass
    with walls.caller(caller_id):
        ZeroKey.objects.filter(project_id=project_id).delete()
        ZeroProject.objects.filter(pk=project_id).update(
            deleted_at=None, name="", description="", status_reason="", settings={}, metadata={}, config={}
        )


def _removed_some(model: type[ProjectModel], project_id: UUID) -> bool:
    """Remove a part, in a transaction of its own: a large project keeps nobody waiting, and a crash loses a part."""
    with walls.project(project_id):
        some = list(model.objects.values_list("pk", flat=True)[:AT_ONCE])
        if some:
            model.objects.filter(pk__in=some).delete()
    return bool(some)
