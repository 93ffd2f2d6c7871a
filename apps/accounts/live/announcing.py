"""Telling open pages that something changed: after the commit, once per transaction, and never in the way of the work.

What is told is ``{"kind": "changed", "seq": 7, "changes": [["<id>", ["list", "thread"]], …]}``: which rows changed, and
the parts of pages that show them. An empty list of changes means: so much that everything is worth fetching anew.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection, transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.accounts.live import numbers
from apps.accounts.tenancy.scope import tenant

logger = logging.getLogger(__name__)

MOST_CHANGES = 20
PAUSE_SECONDS = 5.0
"""After a failure nothing is sent for so long: a Redis server that hangs must not slow every request down."""
_TIMEOUT_SECONDS = 1.0
_paused_until = 0.0


def announce(account_id: UUID, subject: UUID, parts: Iterable[str]) -> None:
    """After the commit, tell pages of the account that ``parts`` which show ``subject`` are worth fetching anew."""
    _batch(account_id).changes.setdefault(str(subject), set()).update(parts)


def announce_access(account_id: UUID) -> None:
    """After the commit, let every socket of the account look again whether its person may still be here."""
    transaction.on_commit(lambda: post(account_id, {"kind": "access"}), robust=True)


def post(account_id: UUID, event: Mapping[str, Any]) -> None:
    """Send ``event`` to every process that holds sockets of the account. A failure is logged, no more.

    Pages find out by the number that they missed something (``consumer``).
    """
    global _paused_until
    if time.monotonic() < _paused_until:
        return
    try:
        _server().publish(channel(account_id), json.dumps(event))
    except redis.RedisError as error:
        _paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("Open pages can't be told of changes: %s", error)


def channel(account_id: UUID) -> str:
    """The Redis channel of the account's sockets."""
    return f"strongroom:live:{account_id}"


class _Batch:
    """What one transaction changed in one account; called after its commit."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        self.changes: dict[str, set[str]] = {}

    def __call__(self) -> None:
        with tenant(self.account_id):
            number = numbers.following()
        changes = [[subject, sorted(parts)] for subject, parts in self.changes.items()]
        post(
            self.account_id,
            {"kind": "changed", "seq": number, "changes": changes if len(changes) <= MOST_CHANGES else []},
        )


def _batch(account_id: UUID) -> _Batch:
    """The batch of this transaction, or a new one where a rollback to a savepoint could take that one away alone."""
    here = set(connection.savepoint_ids)
    hooks: list[Any] = connection.run_on_commit
    for savepoints, function, _ in hooks:
        if isinstance(function, _Batch) and function.account_id == account_id and savepoints <= here:
            return function
    made = _Batch(account_id)
    transaction.on_commit(made, robust=True)
    return made


@cache
def _server() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        socket_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
