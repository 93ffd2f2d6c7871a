"""What every row inside a ZeroDB project has."""

from __future__ import annotations

from django.db import models

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.models import OwnedManager, OwnedModel, OwnedQuerySet
from apps.integrations.models.zerodb_project import ZeroProject
from apps.integrations.zerodb.server.walls import PROJECT_WALL, project_in_scope


class ProjectQuerySet(OwnedQuerySet):
    """Rows of the project in scope."""

    wall = PROJECT_WALL


class ProjectManager(OwnedManager.from_queryset(ProjectQuerySet)):  # type: ignore[misc]
    """``Model.objects`` of everything a project owns."""

    wall = PROJECT_WALL


class ProjectModel(OwnedModel):
    """A row that belongs to a project."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the primary key in PostgreSQL is (project_id, id). No constraint: a project's own key is
    # (caller_id, id), and its rows are removed by the service that purges it.
    project = models.ForeignKey(
        ZeroProject,
        on_delete=models.DO_NOTHING,
        default=project_in_scope,
        editable=False,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"
