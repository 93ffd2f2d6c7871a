"""One renewal of a grant, under the lock of its row.

Whoever waited for the lock reads again and finds the work done, so a hundred callers make one call. If a process dies
between the service's answer and the commit, the old pair is what is stored, and is tried again: services that rotate
refresh tokens take the old one until the new one was used, or for some minutes.

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
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from apps.accounts.crash_points import crash_point
from apps.accounts.tenancy.lock_waits import wait_at_most, waited_too_long
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
LOCK_WAIT = 25.0
"""Seconds to wait for whoever renews the grant: longer than the service has time to answer them."""
_AGAIN = 5.0


def is_due(grant: Grant, now: datetime, refused: str) -> bool:
    """Whether it is to be renewed: its time comes to an end, or the service did not take its access token."""
    return grant.access_token == refused or grant.is_due(now)


def serves(grant: Grant, now: datetime, refused: str) -> bool:
    """Whether its access token can be used meanwhile."""
    return grant.access_token != refused and grant.works(now)


@dataclass
class Renewal:
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
            try:
                return self._under_lock()
            except (OperationalError, InterfaceError) as error:
                if waited_too_long(error):
                    raise
                connection.close()
                return self._under_lock()
        except OperationalError as error:
            if not waited_too_long(error):
                raise
            return self._meanwhile()

    def _under_lock(self) -> Grant:
        with tenant(self.account_id):
            wait_at_most(LOCK_WAIT)
            row = found(self.kind, lock=True)
            grant, now = grant_of(row), timezone.now()
            if self._is_done(row, grant, now):
                return grant
            outcome = self._try(row, grant, now)
            row.save()
        crash_point("tokens.after_store")
        # Raised here and not inside: what was learnt must be committed.
        if isinstance(outcome, TokenError):
            raise outcome
        return outcome

    def _is_done(self, row: Token, grant: Grant, now: datetime) -> bool:
        """Whether somebody else did it while we waited."""
        return row.generation != self.generation and not is_due(grant, now, self.refused)

    def _meanwhile(self) -> Grant:
        """What serves while somebody else holds the row, and does not let go of it."""
        with tenant(self.account_id):
            grant = grant_of(found(self.kind))
        if serves(grant, timezone.now(), self.refused):
            return grant
        raise NotNow("Somebody else is renewing the grant; it is tried again in a moment.", retry_after=_AGAIN)

    def _try(self, row: Token, grant: Grant, now: datetime) -> Grant | TokenError:
        usable = serves(grant, now, self.refused)
        if row.status == Token.Status.REAUTH_REQUIRED:
            return grant if usable else ReauthRequired(row.last_error)
        if self.obtained is None and not may_try(row, now):
            return _later(row, grant, now, usable)
        asking = mark_of(row)
        if self.obtained is None and not cache.add(asking, 1, IN_FLIGHT):
            message = "Whoever renewed the grant was interrupted; it is tried again in a moment."
            return grant if usable else NotNow(message, retry_after=IN_FLIGHT)
        crash_point("tokens.before_ask")
        try:
            self.obtained = self.obtained or self._ask(row, grant, asking)
        except GrantRefused as refusal:
            row.refusals += 1
            row.last_error = str(refusal)[:_LONGEST_ERROR]
            if row.refusals >= REFUSALS or not grant.refresh_token:
                row.status, row.next_attempt_at = Token.Status.REAUTH_REQUIRED, None
                return grant if usable else ReauthRequired(row.last_error)
            return _wait(row, grant, now, usable)
        except DatabaseError:
            raise  # the transaction is broken, and nothing can be kept in it
        except Exception as error:
            row.failures += 1
            row.last_error = str(error)[:_LONGEST_ERROR] or type(error).__name__
            return _wait(row, grant, now, usable)
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


class Trial(Renewal):
    """A renewal that is made whatever the grant's time, to see whether the service takes who asks for it.

    What it raises is what the callback raised, and leaves the row as it was: no refusal and no wait is noted.
    """

    def _is_done(self, row: Token, grant: Grant, now: datetime) -> bool:
        return False

    def _meanwhile(self) -> Grant:
        raise NotNow("Somebody else is renewing the grant. Try again in a moment.", retry_after=_AGAIN)

    def _try(self, row: Token, grant: Grant, now: datetime) -> Grant:
        if self.obtained is None:
            asking = mark_of(row)
            if not cache.add(asking, 1, IN_FLIGHT):
                raise NotNow("Whoever renewed the grant was interrupted. Try again soon.", retry_after=IN_FLIGHT)
            self.obtained = self._ask(row, grant, asking)
        return _put(row, self.obtained, timezone.now())


def _put(row: Token, new: Grant, now: datetime) -> Grant:
    row.take(to_pair(new))
    row.granted_at, row.expires_at, row.refreshed_at = now, new.expires_at, now
    row.scopes, row.status = list(new.scopes), Token.Status.ACTIVE
    row.refusals = row.failures = 0
    row.next_attempt_at, row.last_error, row.loss_told_at = None, "", None
    return replace(new, granted_at=now)


def mark_of(row: Token) -> str:
    """The cache's name for: somebody asks for what follows this pair."""
    return f"token-refresh:{row.account_id}:{row.pk}:{row.generation}"


def may_try(row: Token, now: datetime) -> bool:
    """Whether the wait after the last failure is over."""
    return row.next_attempt_at is None or now >= row.next_attempt_at


def _wait(row: Token, grant: Grant, now: datetime, usable: bool) -> Grant | TokenError:
    step = min(_LONGEST, _BASE * 2 ** min(20, row.refusals + row.failures - 1))
    row.status = Token.Status.BACKOFF
    row.next_attempt_at = now + timedelta(seconds=step * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
    return _later(row, grant, now, usable)


def _later(row: Token, grant: Grant, now: datetime, usable: bool) -> Grant | TokenError:
    if usable:
        return grant
    assert row.next_attempt_at is not None
    after = max(1.0, (row.next_attempt_at - now).total_seconds())
    return NotNow(f"The grant could not be renewed: {row.last_error}", retry_after=after)
