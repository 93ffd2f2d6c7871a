"""Projects: creating, finding, changing, deleting, and entering their scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.identifiers import uuid7
from apps.integrations.models import ZeroCaller, ZeroProject
from apps.integrations.zerodb.server import walls
from apps.integrations.zerodb.server.errors import ApiError, project_not_found, project_suspended
from apps.integrations.zerodb.server.identity import Identity
from apps.integrations.zerodb.server.store import keys
from apps.integrations.zerodb.server.tiers import TIERS, project_limit_exceeded

DEFAULT_PROJECT = "default"
"""The project of a caller who names none."""
Status = ZeroProject.Status


@dataclass(frozen=True)
class NewProject:
    """What a caller asks for, already checked."""

    name: str
    description: str = ""
    tier: str = "free"
    database_enabled: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """Some of the caller's projects, oldest first, and how many there are in all."""

    projects: list[ZeroProject]
    total: int


def require_account_wide(identity: Identity) -> None:
    """Raises ApiError 403 for a project key: it may not touch what lies beyond its project."""
    if not identity.account_wide:
        raise ApiError(403, "FORBIDDEN", "A project key cannot do this. Use an account-wide key.")


def create_project(identity: Identity, wanted: NewProject) -> tuple[ZeroProject, str]:
    """A new project and its key, which is shown this once. Raises ApiError 403, 429."""
    require_account_wide(identity)
    project_id = uuid7()
    with walls.caller(identity.caller_id):
        _check_limit(identity, wanted.tier)
        project = ZeroProject.objects.create(
            id=project_id,
            public_id=str(project_id),
            name=wanted.name,
            description=wanted.description,
            tier=wanted.tier,
            database_enabled=wanted.database_enabled,
            settings=dict(wanted.settings),
            metadata=dict(wanted.metadata),
            config=dict(wanted.config),
        )
        key = keys.create_key(identity.caller_id, f"Project {wanted.name}"[:100], project_id=project_id)
    return project, key.plain


def _check_limit(identity: Identity, tier: str) -> None:
    # The caller's row is locked so that two creates at once cannot both take the last place.
    caller = ZeroCaller.objects.select_for_update(no_key=True).get(pk=identity.caller_id)
    limit = settings.ZERODB_FREE_PROJECTS if tier == "free" else TIERS[tier].projects
    if limit is None or caller.unlimited_projects:
        return
    used = _created(identity).count()
    if used >= limit:
        raise project_limit_exceeded(tier, used, limit)


def _created(identity: Identity) -> QuerySet[ZeroProject]:
    """The created, not deleted projects that this key reaches."""
    rows = ZeroProject.objects.filter(implicit=False).exclude(status=Status.DELETED)
    return rows if identity.project_id is None else rows.filter(pk=identity.project_id)


def find_project(identity: Identity, public_id: str) -> ZeroProject:
    """A created project of the caller. Raises ApiError 404, alike for foreign, deleted and missing ones."""
    with walls.caller(identity.caller_id):
        return _one(_created(identity), public_id)


def _one(rows: QuerySet[ZeroProject], public_id: str) -> ZeroProject:
    project = rows.filter(public_id=public_id).first()
    if project is None:
        raise project_not_found(public_id)
    return project


def list_projects(identity: Identity, *, limit: int, offset: int, status: str | None, tier: str | None) -> Page:
    """The caller's created projects; deleted ones only when asked for by ``status``."""
    with walls.caller(identity.caller_id):
        rows = _created(identity)
        if status == Status.DELETED:
            rows = ZeroProject.objects.filter(implicit=False, status=status)
        elif status:
            rows = rows.filter(status=status)
        if tier:
            rows = rows.filter(tier=tier)
        return Page(list(rows.order_by("id")[offset : offset + limit]), rows.count())


def change_project(
    identity: Identity, public_id: str, changes: Mapping[str, Any], *, of_its_life: bool = False
) -> ZeroProject:
    """Set fields of a project; a suspended one takes changes ``of_its_life`` alone. Raises ApiError 403, 404."""
    require_account_wide(identity)
    with walls.caller(identity.caller_id):
        project = _one(_created(identity).select_for_update(), public_id)
        if project.status == Status.SUSPENDED and not of_its_life:
            raise project_suspended(public_id)
        for name, value in changes.items():
            setattr(project, name, value)
        project.save(update_fields=[*changes, "updated_at"])
    return project


def merge_settings(identity: Identity, public_id: str, additions: Mapping[str, Any]) -> ZeroProject:
    """Merge ``additions`` into the project's settings; objects inside are merged, not replaced.

    Raises ApiError 403, 404.
    """
    with walls.caller(identity.caller_id):
        project = _one(_created(identity).select_for_update(), public_id)
        if project.status == Status.SUSPENDED:
            raise project_suspended(public_id)
        for name, value in additions.items():
            before = project.settings.get(name)
            both = isinstance(before, dict) and isinstance(value, dict)
            project.settings[name] = before | value if both else value
        project.save(update_fields=["settings", "updated_at"])
    return project


def set_status(identity: Identity, public_id: str, status: str, reason: str) -> ZeroProject:
    """Move a project through its life; DELETED is the same as deleting it. Raises ApiError 403, 404."""
    deleted_at = timezone.now() if status == Status.DELETED else None
    changes = {"status": status, "status_reason": reason, "deleted_at": deleted_at}
    return change_project(identity, public_id, changes, of_its_life=True)


def issue_key(identity: Identity, public_id: str) -> str:
    """A new key for a project, in place of those it had: for whoever lost the one that create showed.

    Raises ApiError 403, 404.
    """
    require_account_wide(identity)
    with walls.caller(identity.caller_id):
        project = _one(_created(identity).select_for_update(), public_id)
        keys.revoke_keys_of_project(project.id)
        return keys.create_key(identity.caller_id, f"Project {project.name}"[:100], project_id=project.id).plain


@contextmanager
def entered(
    identity: Identity, public_id: str | None, *, writes: bool = False, created_only: bool = False
) -> Iterator[ZeroProject]:
    """The scope of one project; everything inside is one transaction.

    ``public_id`` None is the key's own project, or the caller's default one. Raises ApiError 403, 404: see
    ``Call.project``.
    """
    with walls.caller(identity.caller_id):
        project = _reached(identity, public_id, writes=writes, created_only=created_only)
        with walls.project(project.id):
            yield project


def _reached(identity: Identity, public_id: str | None, *, writes: bool, created_only: bool) -> ZeroProject:
    rows = ZeroProject.objects.all()
    if identity.project_id is not None:
        rows = rows.filter(pk=identity.project_id)
    if public_id is not None or identity.account_wide:
        rows = rows.filter(public_id=public_id or DEFAULT_PROJECT)
    project = rows.first() or _implicit(identity, public_id, writes=writes)
    if project.status == Status.DELETED or (created_only and project.implicit):
        raise project_not_found(public_id or project.public_id)
    if writes and project.status == Status.SUSPENDED:
        raise project_suspended(project.public_id)
    return project


def _implicit(identity: Identity, public_id: str | None, *, writes: bool) -> ZeroProject:
    """A project that nobody created. It gets a row when first written to; until then it is merely empty."""
    name = public_id or DEFAULT_PROJECT
    allowed = settings.ZERODB_IMPLICIT_PROJECTS or public_id is None
    if not allowed or not identity.account_wide or len(name) > 255:
        raise project_not_found(name)
    blank = ZeroProject(caller_id=identity.caller_id, public_id=name, implicit=True, name=name)
    if not writes:
        return blank
    project: ZeroProject
    project, _ = ZeroProject.objects.get_or_create(public_id=name, defaults={"implicit": True, "name": name})
    return project
