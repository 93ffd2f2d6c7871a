"""Access tokens that work: refreshed early, by one caller at a time, the old grant kept until the new one works.

The refresh runs apart from the caller's transaction and under the lock of the grant's row. Whoever waited for the lock
reads again and finds the work done, so a hundred callers make one call. What the service gave is committed before
anybody uses it. If a process dies between the service's answer and that commit, the old pair is what is stored, and is
tried again: services that rotate refresh tokens take the old one until the new one was used, or for some minutes.

It is not tried again at once. The dead process's request may still be on its way, and a service that gets it after ours
takes ours for stolen. So a mark in the cache says that somebody asks; who finds it and yet holds the lock knows that
they died, and waits until their request is over.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from apps.accounts.crash_points import crash_point
from apps.accounts.tenancy.apart import apart
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Token
from apps.vault.tokens.grant import Grant, GrantRefused, NotNow, ReauthRequired, TokenError, to_pair
from apps.vault.tokens.keeping import found, grant_of

Refresher = Callable[[Grant], Grant]
"""Asks the service for a new grant. Raises GrantRefused when it takes the refresh token no more; anything else is a
failure that may pass."""

REFUSALS = 3
"""Refusals in a row, minutes apart, after which a person has to consent anew."""
_BASE, _LONGEST = 30.0, 3600.0
_LONGEST_ERROR = 500
IN_FLIGHT = 30.0
"""Seconds after which a request for a refresh has been answered or will never be."""


def access_token(account_id: UUID, kind: str, *, refresher: Refresher, refused: str = "") -> str:
    """``fresh``, of which callers mostly need only this."""
    return fresh(account_id, kind, refresher=refresher, refused=refused).access_token


def fresh(account_id: UUID, kind: str, *, refresher: Refresher, refused: str = "") -> Grant:
    """A grant whose access token lasts for a while. Raises NoToken, NotNow, ReauthRequired.

    ``refused`` is an access token that the service did not take although its time was not over: if it is still the one
    that is kept, it is refreshed. Not to be called by a transaction that has itself written this grant.
    """
    with tenant(account_id):
        row = found(kind)
        grant, now = grant_of(row), timezone.now()
        if not _is_due(grant, now, refused):
            return grant
        if _serves(grant, now, refused) and not _may_try(row, now):
            return grant
    task = _Refresh(account_id, kind, refresher, row.generation, refused)
    return apart(task.run)


def _is_due(grant: Grant, now: datetime, refused: str) -> bool:
    return grant.access_token == refused or grant.is_due(now)


def _serves(grant: Grant, now: datetime, refused: str) -> bool:
    return grant.access_token != refused and grant.works(now)


def worked(account_id: UUID, kind: str, token: str) -> None:
    """The service took ``token``: the pair before it is needed no more."""
    with tenant(account_id):
        row = Token.objects.filter(kind=kind, pair_before__isnull=False).first()
        if row is not None and row.pair["access_token"] == token:
            _forget_before(account_id, row.pk, row.generation)


def _forget_before(account_id: UUID, row_id: UUID, generation: int) -> None:
    row = Token.objects.select_for_update(skip_locked=True).filter(pk=row_id, generation=generation).first()
    if row is not None:
        row.pair_before = None
        row.save(update_fields=["pair_before", "updated_at"])


@dataclass
class _Refresh:
    """One caller's refresh of a grant that it found due."""

    account_id: UUID
    kind: str
    refresher: Refresher
    generation: int
    refused: str = field(repr=False)
    obtained: Grant | None = None
    """What the service gave, until it is stored."""

    def run(self) -> Grant:
        """The grant that serves now. What the service gave survives a connection that breaks before the commit."""
        try:
            return self._under_lock()
        except (OperationalError, InterfaceError):
            connection.close()
            return self._under_lock()

    def _under_lock(self) -> Grant:
        with tenant(self.account_id):
            row = found(self.kind, lock=True)
            grant, now = grant_of(row), timezone.now()
            if row.generation != self.generation and not _is_due(grant, now, self.refused):
                return grant  # somebody else did it while we waited
            outcome = self._try(row, grant, now)
            row.save()
        crash_point("tokens.after_store")
        # Raised here and not inside: what was learnt must be committed.
        if isinstance(outcome, TokenError):
            raise outcome
        return outcome

    def _try(self, row: Token, grant: Grant, now: datetime) -> Grant | TokenError:
        serves = _serves(grant, now, self.refused)
        if row.status == Token.Status.REAUTH_REQUIRED:
            return grant if serves else ReauthRequired(row.last_error)
        if self.obtained is None and not _may_try(row, now):
            return _later(row, grant, now, serves)
        asking = mark_of(row)
        if self.obtained is None and not cache.add(asking, 1, IN_FLIGHT):
            message = "Whoever renewed the grant was interrupted; it is tried again in a moment."
            return grant if serves else NotNow(message, retry_after=IN_FLIGHT)
        crash_point("tokens.before_ask")
        try:
            self.obtained = self.obtained or self._ask(row, grant, asking)
        except GrantRefused as refusal:
            row.refusals += 1
            row.last_error = str(refusal)[:_LONGEST_ERROR]
            if row.refusals >= REFUSALS or not grant.refresh_token:
                row.status, row.next_attempt_at = Token.Status.REAUTH_REQUIRED, None
                return grant if serves else ReauthRequired(row.last_error)
            return _wait(row, grant, now, serves)
        except Exception as error:
            row.failures += 1
            row.last_error = str(error)[:_LONGEST_ERROR] or type(error).__name__
            return _wait(row, grant, now, serves)
        crash_point("tokens.before_store")
        return _put(row, self.obtained, timezone.now())

    def _ask(self, row: Token, grant: Grant, asking: str) -> Grant:
        """A new grant by the current pair; by the one before if the service never took the current one."""
        try:
            return grant.followed_by(self.refresher(grant))
        except GrantRefused:
            if row.pair_before is None or row.pair_before.get("refresh_token") in {"", grant.refresh_token}:
                raise
            before = grant_of(row, before=True)
            return before.followed_by(self.refresher(before))
        finally:
            cache.delete(asking)


def _put(row: Token, new: Grant, now: datetime) -> Grant:
    row.take(to_pair(new))
    row.granted_at, row.expires_at, row.refreshed_at = now, new.expires_at, now
    row.scopes, row.status = list(new.scopes), Token.Status.ACTIVE
    row.refusals = row.failures = 0
    row.next_attempt_at, row.last_error = None, ""
    return replace(new, granted_at=now)


def mark_of(row: Token) -> str:
    """The cache's name for: somebody asks for what follows this pair."""
    return f"token-refresh:{row.account_id}:{row.pk}:{row.generation}"


def _may_try(row: Token, now: datetime) -> bool:
    return row.next_attempt_at is None or now >= row.next_attempt_at


def _wait(row: Token, grant: Grant, now: datetime, serves: bool) -> Grant | TokenError:
    step = min(_LONGEST, _BASE * 2 ** min(20, row.refusals + row.failures - 1))
    row.status = Token.Status.BACKOFF
    row.next_attempt_at = now + timedelta(seconds=step * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
    return _later(row, grant, now, serves)


def _later(row: Token, grant: Grant, now: datetime, serves: bool) -> Grant | TokenError:
    if serves:
        return grant
    assert row.next_attempt_at is not None
    after = max(1.0, (row.next_attempt_at - now).total_seconds())
    return NotNow(f"The grant could not be renewed: {row.last_error}", retry_after=after)
