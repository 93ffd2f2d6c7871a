"""Paths without ``/database/``: an earlier form, kept for callers of old.

The prefix is mandatory in the contract, so ``/{id}/vectors/…`` exists only where the caller created that very
project, and ``/vectors/…`` only where the header or the key says which project is meant.
"""

from __future__ import annotations

from typing import Any

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import ApiError, path_not_found
from apps.integrations.zerodb.server.scopes import Form, ProjectReference
from apps.integrations.zerodb.server.store import projects


def require_bare_path(call: Call, scope: ProjectReference, **_: Any) -> None:
    """Raises ApiError 404 PATH_NOT_FOUND where the caller has no path without the prefix."""
    if not _exists(call, scope):
        raise path_not_found(call.request.path_info)


def _exists(call: Call, scope: ProjectReference) -> bool:
    if scope.form is Form.HEADER:
        return not call.identity.account_wide or bool(call.request.headers.get("X-Project-ID"))
    try:
        projects.find_project(call.identity, scope.project_id or "")
    except ApiError:
        return False
    return True
