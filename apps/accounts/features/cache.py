"""What the hot path asks of features, kept in this process and in the cache server.

The process keeps an answer for some seconds without asking anybody: that bounds how long a change made elsewhere goes
unnoticed. Behind it the cache server holds what was read from the database; there a writer leaves a mark, before it
commits and after, and readers only ever *add*, so that what was read before a change can't outlive it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import transaction

from apps.accounts.features.states import choices_of, in_scope_of, lacking, staging

PROCESS_SECONDS = 5.0
"""How stale an answer may be in a process other than the one that made the change."""
_SERVER_SECONDS = 60
_CHANGING = "changing"
_MARK_SECONDS = 60
"""Longer than any transaction that has read what is being changed."""
_MOST = 10_000
_STAGES = "feature-stages"

Switches = tuple[dict[str, bool], frozenset[str]]
"""An account's choices by feature, and the codes of what it lacks."""

_near: dict[str, tuple[float, Any]] = {}


def staging_now() -> dict[str, tuple[str, int]]:
    """Stage and percent by feature, at most some seconds old."""
    found: dict[str, tuple[str, int]] = _kept(_STAGES, staging)
    return found


def switches_now(account_id: UUID) -> Switches:
    """An account's choices and lacks, at most some seconds old."""
    found: Switches = _kept(_name(account_id), partial(_read, account_id))
    return found


def _read(account_id: UUID) -> Switches:
    with in_scope_of(account_id):
        return choices_of(account_id), lacking(account_id)


def _name(account_id: UUID) -> str:
    return f"features:{account_id}"


def _kept(name: str, read: Callable[[], Any]) -> Any:
    now = time.monotonic()
    near = _near.get(name)
    if near is not None and now < near[0]:
        return near[1]
    value = cache.get(name)
    if value is None or value == _CHANGING:
        fresh = read()
        if value is None:
            cache.add(name, fresh, _SERVER_SECONDS)
        value = fresh
    if len(_near) >= _MOST:
        _near.clear()
    _near[name] = (now + PROCESS_SECONDS, value)
    return value


def forget_account(account_id: UUID) -> None:
    """What is known of an account's switches no longer holds: now, and again when the transaction has committed."""
    _forget(_name(account_id))


def forget_staging() -> None:
    """The same of the operator's stages."""
    _forget(_STAGES)


def forget_process() -> None:
    """Drop what this process keeps, as a new one would begin."""
    _near.clear()


def _forget(name: str) -> None:
    _mark(name)
    transaction.on_commit(partial(_mark, name))


def _mark(name: str) -> None:
    cache.set(name, _CHANGING, _MARK_SECONDS)
    _near.pop(name, None)
