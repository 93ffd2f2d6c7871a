"""What a caller may do: the action that the view names for the method, asked of the one table of permissions."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.api.problems import TITLES, Problem
from apps.accounts.models import Account
from apps.accounts.permissions import require

TITLES["account_suspended"] = "This account is suspended"


class ActionAllowed(BasePermission):
    """The role (and the key's scopes) must allow the action that the view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises PermissionDenied, and Problem (403) for a change in a suspended account.

        A method the view does not have passes: it is answered with 405.
        """
        method = "GET" if request.method == "HEAD" else request.method
        action = view.actions.get(method)
        if action is not None:
            require(view.actor, action)
            if method not in view.reading and view.account.status == Account.Status.SUSPENDED:
                raise Problem(403, "account_suspended", "It can be read and not changed. Ask the operator.")
        return True
