"""What a caller may do: the action that the view names for the method, asked of the one table of permissions."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.permissions import require


class ActionAllowed(BasePermission):
    """The role (and the key's scopes) must allow the action that the view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises PermissionDenied. A method the view does not have passes: it is answered with 405."""
        method = "GET" if request.method == "HEAD" else request.method
        action = view.actions.get(method)
        if action is not None:
            require(view.actor, action)
        return True
