"""``/projects``."""

from __future__ import annotations

from typing import Any

from apps.integrations.models import ZeroProject
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.projects import requests
from apps.integrations.zerodb.server.scopes import Form, ProjectReference
from apps.integrations.zerodb.server.store import projects, usage


def project_answer(project: ZeroProject) -> dict[str, Any]:
    """A whole project."""
    return {
        "id": project.public_id,
        "project_id": project.public_id,
        "name": project.name,
        "description": project.description or None,
        "status": project.status,
        "tier": project.tier,
        "database_enabled": project.database_enabled,
        "settings": project.settings,
        "metadata": project.metadata,
        "config": project.config,
        "created_at": project.created_at,
        "updated_at": project.updated_at,
    }


def _short(project: ZeroProject) -> dict[str, Any]:
    return {"id": project.public_id, "name": project.name, "status": project.status, "tier": project.tier.upper()}


def create(call: Call) -> tuple[int, dict[str, Any]]:
    """``POST /projects``; the only answer that holds the project's key."""
    project, api_key = projects.create_project(call.identity, requests.read_create(call))
    return 201, project_answer(project) | {"api_key": api_key}


def list_all(call: Call) -> dict[str, Any]:
    """``GET /projects``: the short form, and the long one beside it when a page was asked for."""
    wanted = requests.read_list(call)
    page = projects.list_projects(
        call.identity, limit=wanted.limit, offset=wanted.offset, status=wanted.status, tier=wanted.tier
    )
    answer: dict[str, Any] = {"projects": [_short(project) for project in page.projects], "total": page.total}
    if wanted.paged:
        answer |= {
            "items": [project_answer(project) for project in page.projects],
            "limit": wanted.limit,
            "offset": wanted.offset,
        }
    return answer


def show(call: Call, project_id: str) -> dict[str, Any]:
    """``GET /projects/{id}``, with what it holds."""
    with call.project(ProjectReference(Form.PROJECTS, project_id), created_only=True) as project:
        return project_answer(project) | {"usage": usage.of_project()}


def change(call: Call, project_id: str) -> dict[str, Any]:
    """``PATCH /projects/{id}``."""
    changes = requests.read_change(call)
    project = projects.change_project(call.identity, project_id, changes)
    return project_answer(project) | {"updated_fields": sorted(changes)}


def change_settings(call: Call, project_id: str) -> dict[str, Any]:
    """``PATCH /projects/{id}/settings``."""
    additions = requests.read_settings(call)
    return project_answer(projects.merge_settings(call.identity, project_id, additions))


def change_status(call: Call, project_id: str) -> dict[str, Any]:
    """``PATCH`` or ``PUT /projects/{id}/status``."""
    wanted = requests.read_status(call)
    project = projects.set_status(call.identity, project_id, wanted.status, wanted.reason)
    return {"id": project.public_id, "name": project.name, "status": project.status, "tier": project.tier}


def delete(call: Call, project_id: str) -> dict[str, Any]:
    """``DELETE /projects/{id}``."""
    project = projects.set_status(call.identity, project_id, ZeroProject.Status.DELETED, "")
    return {
        "id": project.public_id,
        "project_id": project.public_id,
        "status": project.status,
        "deleted": True,
        "deleted_items": {},
    }


def new_key(call: Call, project_id: str) -> tuple[int, dict[str, Any]]:
    """``POST /projects/{id}/api-key``, beyond the contract: a new key in place of a lost one."""
    api_key = projects.issue_key(call.identity, project_id)
    return 201, {"id": project_id, "project_id": project_id, "api_key": api_key}


def statistics(call: Call, project_id: str) -> dict[str, Any]:
    """``GET /projects/{id}/statistics``."""
    with call.project(ProjectReference(Form.PROJECTS, project_id), created_only=True) as project:
        return {"project_id": project.public_id, **usage.of_project()}


def collections(call: Call, project_id: str) -> dict[str, Any]:
    """``GET /projects/{id}/collections``: the namespaces, which is what collections are called here."""
    with call.project(ProjectReference(Form.PROJECTS, project_id), created_only=True) as project:
        return {
            "project_id": project.public_id,
            "collections": [{"name": name, "vector_count": count} for name, count in usage.namespaces()],
        }
