"""Reserve before the work: room in every limit that holds for it, all or none.

Its own short transaction beside the caller's (``tenancy/apart.py``): what is reserved is seen by everybody at once,
and no long request keeps a counter locked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection
from django.db.models import F, Value
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from apps.accounts.actors import Actor
from apps.accounts.metering.counters import amount_for, counters_of, limits_for, lock_ledger, open_counters
from apps.accounts.metering.errors import CostLimitReached, LedgerBusy, PriceUnknown, QuantityLimitReached
from apps.accounts.metering.lines import Line, Work, work_of
from apps.accounts.metering.names import source_label
from apps.accounts.metering.periods import end_of
from apps.accounts.metering.prices import Priced, price_lines
from apps.accounts.models import Counter, Limit, Reservation, UsageEvent
from apps.accounts.tenancy.apart import Threads, apart
from apps.accounts.tenancy.scope import tenant

T = TypeVar("T")

LASTS = timedelta(minutes=15)
"""How long room is kept for work nobody settles, unless the caller says otherwise."""
_OVER_UNDONE = {Reservation.State.RELEASED, Reservation.State.EXPIRED}
_LEDGER = Threads("ledger", 8)


def beside(function: Callable[[], T]) -> T:
    """Call it outside of the caller's transaction, if there is one. Raises LedgerBusy."""
    try:
        return apart(function, threads=_LEDGER) if connection.in_atomic_block else function()
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise LedgerBusy("The ledger is held by somebody else. Try again in a few seconds.") from error
        raise


def reserve(
    source: str,
    *lines: Line,
    subject: UUID | None = None,
    actor: Actor | None = None,
    account: Any = None,
    api_key_id: UUID | None = None,
    idempotency_key: str = "",
    lasts: timedelta = LASTS,
) -> Reservation:
    """Take room for what the work is expected to use at most. Settle or release it; after ``lasts`` it is given back.

    The same ``idempotency_key`` in the same account gives the first reservation again. One that holds no room any more
    (released or expired) takes it anew, so it passes the limits again; of work that failed nothing is remembered.
    Raises LimitReached, PriceUnknown, LedgerBusy, NoScope (no account named and none in scope).
    """
    work = work_of(source, subject, actor, account, api_key_id)
    return beside(lambda: _reserve(work, lines, idempotency_key, lasts))


def _reserve(work: Work, lines: Sequence[Line], key: str, lasts: timedelta) -> Reservation:
    for attempt in range(5):
        now = timezone.now()
        try:
            with tenant(work.account_id):
                lock_ledger(work.account_id)
                row = _first(key) if key else None
                if row is not None and row.state not in _OVER_UNDONE:
                    return row
                limits = limits_for(work)
                counters = counters_of(limits, now)
                if all(limit.id in counters for limit in limits):
                    holds = _hold(limits, counters, price_lines(lines, now) if limits else [], now)
                    fresh = row or Reservation(idempotency_key=key)
                    return _store(fresh, work, lines, holds, now, now + lasts)
        except IntegrityError:
            if not key or attempt == 4:  # else somebody with the same key was quicker
                raise
            continue
        except _LimitGone:
            continue
        with tenant(work.account_id):
            open_counters(work.account_id, limits, now)
    raise LedgerBusy("The limits of the account change faster than they can be read.")


def _first(key: str) -> Reservation | None:
    # Locked: of two that try again at once, the second finds what the first one made of it.
    row: Reservation | None = Reservation.objects.select_for_update().filter(idempotency_key=key).first()
    if row is not None:
        return row
    event = UsageEvent.objects.filter(idempotency_key=key).first()
    if event is None:
        return None
    # Its reservation was cleared away long ago; what it came to is in the ledger.
    work, state = Work.of(event), Reservation.State.SETTLED
    return Reservation(
        id=event.reservation_id,
        account_id=work.account_id,
        **work.fields,
        at=event.at,
        expires_at=event.at,
        state=state,
    )


def _store(
    row: Reservation, work: Work, lines: Sequence[Line], holds: list[list[str]], now: datetime, until: datetime
) -> Reservation:
    for name, value in work.fields.items():
        setattr(row, name, value)
    row.at, row.expires_at, row.state = now, until, Reservation.State.OPEN
    row.lines, row.holds = [line.to_json() for line in lines], holds
    row.save()
    return row


def _hold(
    limits: Sequence[Limit], counters: dict[UUID, Counter], priced: list[Priced], now: datetime
) -> list[list[str]]:
    holds = []
    for limit in limits:
        asked = amount_for(limit, priced)
        if asked is None:
            continue
        if asked.unpriced and limit.hard and limit.is_cost and not limit.allow_unpriced:
            line = next(found.line for found in priced if found.cost is None)
            raise PriceUnknown(limit.id, line.unit, line.item)
        counter = counters[limit.id]
        rows = Counter.objects.filter(pk=counter.pk)
        if limit.hard:
            # Work of unknown size, too, needs room: none is let in once nothing is left.
            room = {"used__lte": Value(limit.amount - asked.value) - F("reserved")}
            none_left = {"used__lt": Value(limit.amount) - F("reserved")}
            rows = rows.filter(**(room if asked.value else none_left))
        if not rows.update(reserved=F("reserved") + asked.value):
            raise _refusal(limit, counter.pk, asked.value, now) or _LimitGone
        holds.append([str(limit.id), str(counter.pk), str(asked.value)])
    return holds


class _LimitGone(Exception):
    """Somebody removed the limit while we waited for its counter: look again which ones there are."""


def _refusal(limit: Limit, counter_id: UUID, asked: Decimal, now: datetime) -> Exception | None:
    """Why there is no room; None when there is no limit any more."""
    counter = Counter.objects.filter(pk=counter_id).first()
    if counter is None:
        return None
    kind = CostLimitReached if limit.is_cost else QuantityLimitReached
    return kind(
        limit.id,
        limit.scope,
        limit.measure,
        limit.unit,
        limit.period,
        counter.used,
        counter.reserved,
        limit.amount,
        asked,
        end_of(limit.period, now),
        source_label(limit.source) if limit.scope == Limit.Scope.SOURCE else "",
    )
