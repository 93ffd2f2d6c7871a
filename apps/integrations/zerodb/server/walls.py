"""Who owns rows of the embedded ZeroDB server, and the scopes in which they exist.

Two kinds of owner, each with both walls of ``apps.accounts.tenancy``: a caller (the holder of an
account-wide key) owns keys and projects, a project owns everything stored in it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import UUID

from apps.accounts.tenancy.registry import register_wall
from apps.accounts.tenancy.scope import NoScope, Wall, owner_scope

CALLER_WALL = register_wall(Wall("caller_id", "app.zerodb_caller_id", ContextVar("zerodb_caller_id", default=None)))
PROJECT_WALL = register_wall(Wall("project_id", "app.zerodb_project_id", ContextVar("zerodb_project_id", default=None)))


def caller(caller_id: UUID) -> Any:
    """Scope of one caller: its keys and its projects. A context manager."""
    return owner_scope(CALLER_WALL, caller_id)


def project(project_id: UUID) -> Any:
    """Scope of one project: its vectors, memories, tables, events. A context manager."""
    return owner_scope(PROJECT_WALL, project_id)


def caller_in_scope() -> UUID | None:
    """The caller in scope, or None."""
    return CALLER_WALL.current.get()


def project_in_scope() -> UUID | None:
    """The project in scope, or None."""
    return PROJECT_WALL.current.get()


def current_project_id() -> UUID:
    """The project in scope, for statements that the ORM does not write. Raises NoScope."""
    project_id = project_in_scope()
    if project_id is None:
        raise NoScope("No ZeroDB project in scope.")
    return project_id
