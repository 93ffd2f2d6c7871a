"""Access tokens that work: refreshed early, by one caller at a time, the old grant kept until the new one works.

The refresh runs apart from the caller's transaction and under the lock of the grant's row. Whoever waited for the lock
reads again and finds the work done, so a hundred callers make one call. What the service gave is committed before
anybody uses it. If a process dies between the service's answer and that commit, the old pair is what is stored, and is
tried again: services that rotate refresh tokens take the old one until the new one was used, or for some minutes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

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


def access_token(account_id: UUID, kind: str, *, refresher: Refresher) -> str:
    """An access token that lasts for a while. Raises NoToken, NotNow, ReauthRequired.

    Not to be called by a transaction that has itself written this grant.
    """
    with tenant(account_id):
        row = found(kind)
        grant, now = grant_of(row), timezone.now()
        if not grant.is_due(now):
            return grant.access_token
        if grant.works(now) and not _may_try(row, now):
            return grant.access_token
    generation = row.generation
    return apart(lambda: _refreshed(account_id, kind, refresher, generation)).access_token


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


def _refreshed(account_id: UUID, kind: str, refresher: Refresher, generation: int) -> Grant:
    with tenant(account_id):
        row = found(kind, lock=True)
        grant, now = grant_of(row), timezone.now()
        if row.generation != generation and not grant.is_due(now):
            return grant  # somebody else did it while we waited
        outcome = _try(row, grant, refresher, now)
        row.save()
    # Raised here and not inside: what was learnt must be committed.
    if isinstance(outcome, TokenError):
        raise outcome
    return outcome


def _try(row: Token, grant: Grant, refresher: Refresher, now: datetime) -> Grant | TokenError:
    if row.status == Token.Status.REAUTH_REQUIRED:
        return ReauthRequired(row.last_error)
    if not _may_try(row, now):
        return _later(row, grant, now)
    try:
        new = _ask(row, grant, refresher)
    except GrantRefused as refusal:
        row.refusals += 1
        row.last_error = str(refusal)
        if row.refusals >= REFUSALS or not grant.refresh_token:
            row.status, row.next_attempt_at = Token.Status.REAUTH_REQUIRED, None
            return grant if grant.works(now) else ReauthRequired(row.last_error)
        return _wait(row, grant, now)
    except Exception as error:
        row.failures += 1
        row.last_error = f"{type(error).__name__}: {error}"[:500]
        return _wait(row, grant, now)
    crash_point("tokens.before_store")
    now = timezone.now()
    new = replace(grant.followed_by(new), granted_at=now)
    row.take(to_pair(new))
    row.granted_at, row.expires_at, row.refreshed_at = now, new.expires_at, now
    row.scopes, row.status = list(new.scopes), Token.Status.ACTIVE
    row.refusals = row.failures = 0
    row.next_attempt_at, row.last_error = None, ""
    return new


def _ask(row: Token, grant: Grant, refresher: Refresher) -> Grant:
    """A new grant by the current pair; by the one before if the service never took the current one."""
    try:
        return refresher(grant)
    except GrantRefused:
        if row.pair_before is None or row.pair_before.get("refresh_token") in {"", grant.refresh_token}:
            raise
        return refresher(grant_of(row, before=True))


def _may_try(row: Token, now: datetime) -> bool:
    return row.next_attempt_at is None or now >= row.next_attempt_at


def _wait(row: Token, grant: Grant, now: datetime) -> Grant | TokenError:
    step = min(_LONGEST, _BASE * 2 ** (row.refusals + row.failures - 1))
    row.status = Token.Status.BACKOFF
    row.next_attempt_at = now + timedelta(seconds=step * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
    return _later(row, grant, now)


def _later(row: Token, grant: Grant, now: datetime) -> Grant | TokenError:
    if grant.works(now):
        return grant
    assert row.next_attempt_at is not None
    after = max(1.0, (row.next_attempt_at - now).total_seconds())
    return NotNow(f"{row.kind} could not be refreshed: {row.last_error}", retry_after=after)
