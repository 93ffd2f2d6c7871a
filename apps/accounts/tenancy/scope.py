"""Scopes: whose rows this code may see.

``tenant(account)`` and ``platform(reason)`` are the only ways to get a scope, and doors (middleware,
Celery task base, consumer mixin, management commands) are the only places that call them.

A scope is two things that begin and end together:

* a context variable, from which the default managers take the literal ``account_id = …`` (wall one);
* a transaction-local PostgreSQL setting, on which the row-security policies rest (wall two). Because it
  is transaction-local (``set_config(…, true)``) it dies with the transaction, so neither a pooled
  connection nor PgBouncer in transaction mode can carry it over to somebody else.

The same mechanism guards other owners of rows (the projects of the embedded ZeroDB server): a ``Wall``
names the column, the setting and the context variable of one kind of owner.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from apps.accounts.tenancy.opening import Opened

logger = logging.getLogger(__name__)


class NoScope(RuntimeError):
    """A query for owned rows was made outside of any scope."""


class HasId(Protocol):
    id: UUID


@dataclass(frozen=True, eq=False)
class Wall:
    """One kind of row owner: its column in owned tables and the setting its policy reads."""

    column: str
    setting: str
    current: ContextVar[UUID | None]

    def __reduce__(self) -> Any:
        """Pickled and copied by name: querysets carry their wall along."""
        return _wall, (self.setting,)

    def policy(self, column: str | None = None) -> str:
        """The one equality a policy may be: stable, leakproof, and usable as an index condition.

        ``NULLIF`` because a transaction-local setting leaves '' behind when it ends, not NULL.
        """
        name = connections["default"].ops.quote_name(column or self.column)
        return f"{name} = (SELECT NULLIF(current_setting('{self.setting}', true), '')::uuid)"


def _wall(setting: str) -> Wall:
    from apps.accounts.tenancy.registry import walls

    return walls()[setting]


ACCOUNT_WALL = Wall("account_id", "app.account_id", ContextVar("account_id", default=None))

_platform: ContextVar[str | None] = ContextVar("platform_reason", default=None)


def current_account_id() -> UUID | None:
    """The account in scope, or None (no scope, or platform scope)."""
    return ACCOUNT_WALL.current.get()


def platform_reason() -> str | None:
    """Why this code may see all accounts, or None when it may not."""
    return _platform.get()


def _as_id(owner: UUID | HasId) -> UUID:
    owner_id = owner if isinstance(owner, UUID) else owner.id
    if not isinstance(owner_id, UUID):  # it becomes part of a statement
        raise TypeError(f"An owner is known by a UUID, not by {owner_id!r}.")
    return owner_id


def _row(using: str, sql: str, params: tuple[str, ...]) -> tuple[Any, ...]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()


@contextmanager
def owner_scope(wall: Wall, owner: UUID | HasId, *, using: str = "default") -> Iterator[UUID]:
    """Open a transaction in which exactly the rows of ``owner`` exist. Scopes nest and restore.

    Yields the owner's id. Inside another scope this is a savepoint: an exception rolls back to it, and
    PostgreSQL restores the outer settings with it; a normal exit restores them by hand, because releasing
    a savepoint keeps them.
    """
    owner_id = _as_id(owner)
    outer = connections[using].in_atomic_block
    token = wall.current.set(owner_id)
    reason_token = _platform.set(None)
    try:
        if not outer:
            # A connection may come with a role that somebody left on it (SET ROLE without LOCAL).
            role = "set_config('role', 'none', true)"
            statement = f"SELECT set_config('{wall.setting}', '{owner_id}', true), {role}"
            with Opened(using, statement, (wall.setting, owner_id)):
                yield owner_id
            return
        with transaction.atomic(using=using):
            before = _row(
                using,
                "SELECT coalesce(current_setting(%s, true), ''), current_setting('role')",
                (wall.setting,),
            )
            role = "none" if before[1] == settings.PLATFORM_DATABASE_ROLE else before[1]
            change = "SELECT set_config(%s, %s, true), set_config('role', %s, true)"
            _row(using, change, (wall.setting, str(owner_id), role))
            yield owner_id
            if not connections[using].needs_rollback:
                _row(using, change, (wall.setting, *before))
    finally:
        _platform.reset(reason_token)
        wall.current.reset(token)


def tenant(account: UUID | HasId, *, using: str = "default") -> Any:
    """Scope of one account: a context manager that yields the account's id."""
    return owner_scope(ACCOUNT_WALL, account, using=using)


@contextmanager
def platform(reason: str, *, using: str = "default") -> Iterator[None]:
    """Scope of the operator: all accounts' rows, through another database role.

    ``reason`` says in words why this code may look across accounts; it is logged, so that
    ``grep 'platform('`` and the log tell every place and time it happened.

    Raises ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("platform() needs a reason in words")
    outer = connections[using].in_atomic_block
    tokens: list[tuple[ContextVar[Any], Token[Any]]] = [
        (ACCOUNT_WALL.current, ACCOUNT_WALL.current.set(None)),
        (_platform, _platform.set(reason)),
    ]
    logger.debug("platform scope: %s", reason)
    try:
        if not outer:
            with Opened(using, f"SELECT set_config('role', '{settings.PLATFORM_DATABASE_ROLE}', true)"):
                yield
            return
        with transaction.atomic(using=using):
            before = _row(using, "SELECT current_setting('role')", ())[0]
            _row(using, "SELECT set_config('role', %s, true)", (settings.PLATFORM_DATABASE_ROLE,))
            yield
            if not connections[using].needs_rollback:
                _row(using, "SELECT set_config('role', %s, true)", (before,))
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)
