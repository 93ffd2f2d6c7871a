"""Settle after the work, or release: what was taken is given back, and what was used is counted, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from apps.accounts.crash_points import crash_point
from apps.accounts.identifiers import uuid7
from apps.accounts.metering.alerts import watch
from apps.accounts.metering.counters import ZERO, Amount, amount_for, counters_of, limits_for, lock_ledger
from apps.accounts.metering.errors import UnknownReservation
from apps.accounts.metering.lines import Line, Work
from apps.accounts.metering.prices import Priced, price_lines
from apps.accounts.metering.reserving import beside
from apps.accounts.models import Counter, Limit, Reservation, UsageEvent
from apps.accounts.tenancy.scope import tenant


@dataclass(frozen=True)
class Settled:
    """What the work came to. ``cost`` None: nobody knew the price of anything; ``unpriced`` lines are not in it.

    ``first`` is False when it had been settled before: then nothing was counted now.
    """

    cost: Decimal | None
    unpriced: int = 0
    first: bool = True


def settle(reservation: Reservation, *lines: Line, ok: bool = True, duration_ms: int | None = None) -> Settled:
    """Count what was used. A second time, and after the room was given back, it is safe: used is used, once.

    Work that failed (``ok`` False) is counted too, and its idempotency key is free again.

    Raises UnknownReservation for one that this account does not have, LedgerBusy.
    """
    for _ in range(_TRIES - 1):
        try:
            return beside(lambda: _settle(reservation, lines, ok, duration_ms))
        except OperationalError:  # a deadlock with a change of the limit, a lost connection: nobody else would count it
            continue
    return beside(lambda: _settle(reservation, lines, ok, duration_ms))


def _settle(
    given: Reservation, lines: Sequence[Line], ok: bool, duration_ms: int | None, *, as_call: bool = True
) -> Settled:
    with tenant(_account(given)):
        lock_ledger(_account(given))
        row = _locked(given)
        if row.state == Reservation.State.SETTLED:
            return _as_before(row.id)
        priced = price_lines(lines, row.at)
        _count(row, priced)
        if not ok:
            row.idempotency_key = ""  # it was not done: who tries again does it, and pays for it
        _write(row, priced, ok, duration_ms, as_call=as_call)
        crash_point("metering.before_settled")
        row.state, row.settled_at = Reservation.State.SETTLED, timezone.now()
        row.save(update_fields=["state", "settled_at", "idempotency_key", "updated_at"])
    return _sum(priced)


def count(work: Work, *lines: Line, key: str) -> Settled:
    """Count what nobody asked for first and what can't be refused, such as what is held; once for each ``key``.

    It goes into limits and alerts like any use, and is no call. Raises LedgerBusy.
    """

    def once() -> Settled:
        with tenant(work.account_id):
            if UsageEvent.objects.filter(idempotency_key=key).exists():
                return Settled(None, first=False)
            now = timezone.now()
            row = Reservation(**work.fields, at=now, expires_at=now, state=Reservation.State.EXPIRED)
            row.account_id, row.idempotency_key = work.account_id, key
            row.save(force_insert=True)
            return _settle(row, lines, True, None, as_call=False)

    return beside(once)


def _locked(given: Reservation) -> Reservation:
    row: Reservation | None = Reservation.objects.select_for_update().filter(pk=given.pk).first()
    if row is not None:
        return row
    if UsageEvent.objects.filter(reservation_id=given.pk).exists():
        given.state = Reservation.State.SETTLED
        return given
    if given.state not in {Reservation.State.OPEN, Reservation.State.EXPIRED}:
        raise UnknownReservation(f"No reservation {given.pk}.")
    # Cleared away long after it had expired; what was used counts all the same.
    given.state, given.holds = Reservation.State.EXPIRED, []
    given.save(force_insert=True)
    return given


def _count(row: Reservation, priced: Sequence[Priced]) -> None:
    """Move what was reserved to what was used, counter by counter in the order of their limits."""
    taken = {UUID(limit): Decimal(amount) for limit, _, amount in row.holds} if _holds_room(row) else {}
    counters = {UUID(limit): UUID(counter) for limit, counter, _ in row.holds}
    limits = {limit.id: limit for limit in limits_for(Work.of(row))}
    # A limit without a counter is new: the counter sums these events up when it is made.
    counters |= {limit: counter.pk for limit, counter in counters_of(list(limits.values()), row.at).items()}
    for limit_id in sorted(counters):
        limit = limits.get(limit_id)
        used = amount_for(limit, priced) if limit else None
        _move(counters[limit_id], limit, taken.get(limit_id, ZERO), used or Amount(ZERO))


def _move(counter_id: UUID, limit: Limit | None, back: Decimal, used: Amount) -> None:
    if not (back or used.value or used.unpriced):
        return
    Counter.objects.filter(pk=counter_id).update(
        reserved=F("reserved") - back, used=F("used") + used.value, unpriced=F("unpriced") + used.unpriced
    )
    if limit is not None and used.value:
        watch(limit, counter_id)


def _holds_room(row: Reservation) -> bool:
    return row.state == Reservation.State.OPEN


def write_usage(row: Reservation, lines: Sequence[Line], *, ok: bool, duration_ms: int | None) -> None:
    """Write past work into the events and the sums, in the account's scope: for data that comes from elsewhere.

    Counters are not touched: they sum it up when they are made.
    """
    _write(row, price_lines(lines, row.at), ok, duration_ms)


def _write(
    row: Reservation, priced: Sequence[Priced], ok: bool, duration_ms: int | None, *, as_call: bool = True
) -> None:
    work = Work.of(row)
    UsageEvent.objects.bulk_create(
        UsageEvent(
            account_id=row.account_id,
            **work.fields,
            at=row.at,
            reservation_id=row.id,
            line=number,
            unit=found.line.unit,
            item=found.line.item,
            quantity=found.line.amount,
            unit_price=found.unit_price,
            cost=found.cost,
            ok=ok,
            duration_ms=duration_ms,
            idempotency_key=row.idempotency_key,
        )
        for number, found in enumerate(priced)
    )
    _roll_up(row, work, priced, ok, duration_ms or 0, as_call)


_TRIES = 3
_ROLL_UP = """
INSERT INTO accounts_dailyusage AS day (id, account_id, created_at, updated_at, day, source, subject, cause,
    cause_subject, user_id, api_key_id, unit, item, quantity, cost, unpriced, calls, errors, duration_ms)
VALUES (%s, %s, now(), now(), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, day, source, subject, cause, cause_subject, user_id, api_key_id, unit, item) DO UPDATE SET
    quantity = day.quantity + excluded.quantity, cost = day.cost + excluded.cost,
    unpriced = day.unpriced + excluded.unpriced, calls = day.calls + excluded.calls,
    errors = day.errors + excluded.errors, duration_ms = day.duration_ms + excluded.duration_ms, updated_at = now()
"""


def _roll_up(row: Reservation, work: Work, priced: Sequence[Priced], ok: bool, duration_ms: int, as_call: bool) -> None:
    sums: dict[tuple[str, str], list[Any]] = {}
    for number, found in enumerate(priced):
        first = number == 0 and as_call
        values: tuple[Any, ...] = (
            found.line.amount,
            found.cost or ZERO,
            int(found.cost is None),
            int(first),
            int(first and not ok),
            duration_ms if first else 0,
        )
        key = (found.line.unit, found.line.item)
        sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 6), values, strict=True)]
    target = (work.source, work.subject, work.cause, work.cause_subject, work.user_id, work.api_key_id)
    day = row.at.astimezone(UTC).date()
    with connection.cursor() as cursor:
        # In one order for everybody, so that nobody waits in a ring.
        for key in sorted(sums):
            cursor.execute(_ROLL_UP, [uuid7(), row.account_id, day, *target, *key, *sums[key]])


def _sum(priced: Iterable[Priced], *, first: bool = True) -> Settled:
    costs = [found.cost for found in priced]
    known = [cost for cost in costs if cost is not None]
    return Settled(sum(known, ZERO) if known or not costs else None, len(costs) - len(known), first)


def _as_before(reservation_id: UUID) -> Settled:
    costs = list(UsageEvent.objects.filter(reservation_id=reservation_id).values_list("cost", flat=True))
    known = [cost for cost in costs if cost is not None]
    return Settled(sum(known, ZERO) if known or not costs else None, len(costs) - len(known), first=False)


def _account(row: Reservation) -> UUID:
    account_id: UUID | None = row.account_id
    assert account_id is not None
    return account_id


def release(reservation: Reservation) -> bool:
    """Give the room back: nothing was done. Returns whether it was still held."""
    return beside(lambda: give_back(_account(reservation), reservation.pk, Reservation.State.RELEASED))


def give_back(account_id: UUID, reservation_id: UUID, state: str) -> bool:
    """End an open reservation without counting anything. Returns whether it was open."""
    with tenant(account_id):
        lock_ledger(account_id)
        row = Reservation.objects.select_for_update().filter(pk=reservation_id).first()
        if row is None or not _holds_room(row):
            return False
        for _, counter, amount in sorted(row.holds, key=lambda hold: UUID(hold[0])):
            Counter.objects.filter(pk=counter).update(reserved=F("reserved") - Decimal(amount))
        row.state = state
        row.save(update_fields=["state", "updated_at"])
    return True
