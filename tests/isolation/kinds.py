"""The kinds of route there are, and what each one promises about isolation.

``routes.py`` gives every address of the product one of these; ``test_routes.py`` holds it to the promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import Account
from apps.accounts.permissions import ACTIONS
from apps.accounts.roles import Role

Maker = Callable[[Account], Any]
"""Makes an object of the account in scope; its ``pk`` (or the string it returns) goes into the address."""


@dataclass(frozen=True)
class Asks:
    """What one method of a tenant route asks for.

    ``action`` is what a role must be allowed to do with this object (made by the owner) to be let in. ``body`` is
    sent (form fields on pages, JSON on the API); it may be a function of the account. ``answers`` are the statuses
    of the owner's own request; any other is a fault, so that a route which never works can't pass for an isolated one.
    """

    action: str
    body: Any = None
    answers: tuple[int, ...] = (200, 201, 202, 204, 302)
    query: str = ""
    content_type: str = ""

    @property
    def roles(self) -> frozenset[Role]:
        return ACTIONS[self.action]

    def body_for(self, account: Account) -> Any:
        return self.body(account) if callable(self.body) else self.body


@dataclass(frozen=True)
class TenantRoute:
    """Belongs to one account. Own: answered. Foreign: exactly as if it were missing. Lower role: 403.

    ``of`` names, for each varying part of the address but the account, how to make such an object.
    """

    methods: Mapping[str, Asks]
    of: Mapping[str, Maker] = field(default_factory=dict)
    api: bool = False


@dataclass(frozen=True)
class PersonRoute:
    """Belongs to whoever is signed in, in no account: anonymous people are sent to sign in.

    ``of`` makes, for a given user, what the varying part names; another person's is answered as a missing one is.
    """

    why: str
    of: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    method: str = "GET"


@dataclass(frozen=True)
class PublicRoute:
    """Open to everybody; ``why`` says why that gives nothing of any account away."""

    why: str


@dataclass(frozen=True)
class PlatformRoute:
    """For super admins with a verified second factor alone."""

    why: str


@dataclass(frozen=True)
class OwnWallRoute:
    """Behind a wall of its own (another kind of owner), which ``proven_by`` (a test module) tests."""

    why: str
    proven_by: str


Kind = TenantRoute | PersonRoute | PublicRoute | PlatformRoute | OwnWallRoute


def page(*, of: Mapping[str, Maker] | None = None, **methods: Asks) -> TenantRoute:
    """A page under /app/<account_slug>/."""
    return TenantRoute(methods, of or {})


def api(*, of: Mapping[str, Maker] | None = None, **methods: Asks) -> TenantRoute:
    """A resource under /api/v1/."""
    return TenantRoute(methods, of or {}, api=True)
