"""Who does something, and the request it happens in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from apps.accounts.roles import Role

if TYPE_CHECKING:
    from apps.accounts.models import APIKey, Membership, User


@dataclass(frozen=True)
class Actor:
    """The one who acts: what permissions are asked of, and what the audit trail names.

    ``kind`` is ``user`` (a member), ``api_key``, ``staff`` (a super admin in the admin), ``system``
    (a job, a command) or ``anonymous``. ``role`` is the role in the account being acted on.
    """

    kind: str
    id: UUID | None
    label: str
    role: Role | None = None
    user_id: UUID | None = None
    scopes: tuple[str, ...] = ()

    @classmethod
    def member(cls, membership: Membership) -> Actor:
        """A user in the role of one membership."""
        user = membership.user
        return cls("user", user.id, user.email, Role(membership.role), user.id)

    @classmethod
    def key(cls, api_key: APIKey) -> Actor:
        """A program with an API key."""
        return cls(
            "api_key",
            api_key.id,
            f"API key {api_key.name}",
            Role(api_key.role),
            api_key.created_by_id,
            tuple(api_key.scopes),
        )

    @classmethod
    def staff(cls, user: User) -> Actor:
        """A super admin working in the admin."""
        return cls("staff", user.id, user.email, None, user.id)

    @classmethod
    def person(cls, user: User) -> Actor:
        """A user outside of any account (signing in, accepting an invitation)."""
        return cls("user", user.id, user.email, None, user.id)

    @classmethod
    def system(cls, label: str) -> Actor:
        """The product itself; ``label`` says which part, e.g. ``provisioning``."""
        return cls("system", None, label)

    @classmethod
    def anonymous(cls, label: str = "anonymous") -> Actor:
        """Somebody who has not proven who they are; ``label`` is what they claimed."""
        return cls("anonymous", None, label)


@dataclass(frozen=True)
class RequestContext:
    """From where: copied into audit entries and log lines."""

    request_id: str = ""
    ip: str | None = None
    user_agent: str = ""


_NO_REQUEST = RequestContext()
_context: ContextVar[RequestContext] = ContextVar("request_context", default=_NO_REQUEST)


def request_context() -> RequestContext:
    """The request being served, or an empty context outside of one."""
    return _context.get()


@contextmanager
def in_request(context: RequestContext) -> Iterator[None]:
    """Make ``context`` the current one; doors do this."""
    token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(token)
