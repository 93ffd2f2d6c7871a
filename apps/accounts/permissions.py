"""Who may do what: one table, asked by pages, API, admin and consumers alike.

The rows come from the permission matrix of the fourth source system (its Admin, User and Viewer are our
admin, member and viewer; owner is added above them). Some rights are on *own* objects only: then the
row's action ends in ``_own`` and the caller asks for it when the object is the actor's.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from apps.accounts.actors import Actor
from apps.accounts.roles import Role

_ALL = frozenset(Role)
_WRITERS = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})
_ADMINS = frozenset({Role.OWNER, Role.ADMIN})
_OWNERS = frozenset({Role.OWNER})

ACTIONS: dict[str, frozenset[Role]] = {
    # System settings: full / none / none
    "account.view": _ALL,
    "account.update": _ADMINS,
    "account.delete": _OWNERS,
    "account.export": _OWNERS,
    "members.view": _ALL,
    "members.invite": _ADMINS,
    "members.change_role": _ADMINS,
    "members.remove": _ADMINS,
    "members.manage_owners": _OWNERS,
    "security.view": _ADMINS,
    "security.update": _ADMINS,
    "audit.view": _ADMINS,
    "project.view": _ALL,
    "project.provision": _ADMINS,
    "project.update": _ADMINS,
    "project.reveal_key": frozenset(),  # super admins alone, who are staff here and not a role
    "integrations.view": _ADMINS,
    "integrations.manage": _ADMINS,
    "integrations.use": _WRITERS,
    "tokens.view": _ADMINS,
    "tokens.manage": _ADMINS,
    "usage.view": _ADMINS,
    "limits.view": _ADMINS,
    "limits.manage": _ADMINS,
    "prices.manage": frozenset(),  # the operator's
    "features.view": _ALL,
    "features.manage": _ADMINS,
    "features.stage": frozenset(),  # the operator's
    "jobs.view": _ALL,
    "jobs.retry": _ADMINS,
    "jobs.cancel": _ADMINS,
    "jobs.cancel_own": _WRITERS,
    # API keys: all / own only / none
    "api_keys.view": _ADMINS,
    "api_keys.view_own": _WRITERS,
    "api_keys.create": _WRITERS,
    "api_keys.manage": _ADMINS,
    "api_keys.manage_own": _WRITERS,
    # Contacts
    "contacts.view": _ALL,
    "contacts.create": _WRITERS,
    "contacts.update": _WRITERS,
    "contacts.delete": _WRITERS,
    "contacts.import": _WRITERS,
    # Conversations: all / all / view
    "inboxes.view": _ALL,
    "inboxes.manage": _ADMINS,
    "labels.view": _ALL,
    "labels.manage": _WRITERS,
    "conversations.view": _ALL,
    "conversations.create": _WRITERS,
    "conversations.reply": _WRITERS,
    "conversations.update": _WRITERS,
    "conversations.delete": _ADMINS,
    "memories.view": _ALL,
    "memories.manage": _WRITERS,
    "canned_responses.view": _ALL,
    "canned_responses.manage": _WRITERS,
    "suggestions.view": _ALL,
    "suggestions.choose": _WRITERS,
    # Workflows, deployments, knowledge bases, webhooks: all / own only (or as shared) / view
    "workflows.view": _ALL,
    "workflows.manage": _ADMINS,
    "workflows.create": _WRITERS,
    "workflows.manage_own": _WRITERS,
    "deployments.view": _ALL,
    "deployments.manage": _ADMINS,
    "deployments.manage_own": _WRITERS,
    "knowledge.view": _ALL,
    "knowledge.manage": _ADMINS,
    "knowledge.create": _WRITERS,
    "knowledge.manage_own": _WRITERS,
    "webhooks.view": _ALL,
    "webhooks.manage": _ADMINS,
    "webhooks.create": _WRITERS,
    "webhooks.manage_own": _WRITERS,
}


class RoleDenied(PermissionDenied):
    """The role, or the scopes of a key, do not allow ``action``."""

    def __init__(self, who: str, action: str) -> None:
        super().__init__(f"A {who} may not do this ({action}).")
        self.who, self.action = who, action


class UnknownAction(LookupError):
    """An action name that is not in the table: a programming error, found when the door is declared."""


def known(action: str) -> str:
    """``action`` itself, for use where doors are declared (class bodies, decorators, URL tables).

    Raises UnknownAction, so that a misspelt name stops the product at start and not at a request.
    """
    if action not in ACTIONS:
        raise UnknownAction(f"No action {action!r} in apps/accounts/permissions.py.")
    return action


def allows(actor: Actor, action: str) -> bool:
    """Whether ``actor`` may do ``action`` in the account in scope. Raises UnknownAction."""
    roles = ACTIONS[known(action)]
    if actor.kind in {"system", "staff"}:
        return True
    if actor.role is None or actor.role not in roles:
        return False
    return within_scopes(actor, action)


def within_scopes(actor: Actor, scope: str) -> bool:
    """Whether the scopes of ``actor``, if it has any, hold all of ``scope`` (an action or ``resource.*``)."""
    return not actor.scopes or any(_covers(own, scope) for own in actor.scopes)


def _covers(scope: str, action: str) -> bool:
    resource, _, verb = scope.partition(".")
    return scope == action or (verb == "*" and action.startswith(f"{resource}."))


def require(actor: Actor, action: str) -> None:
    """Raise RoleDenied (PermissionDenied, 403 at every door) unless ``actor`` may do ``action``."""
    if not allows(actor, action):
        raise RoleDenied(actor.role.label.lower() if actor.role else actor.kind, action)


def is_scope(scope: str) -> bool:
    """Whether ``scope`` is a valid API-key scope: an action, or ``resource.*``."""
    return scope in ACTIONS or any(_covers(scope, action) for action in ACTIONS)
