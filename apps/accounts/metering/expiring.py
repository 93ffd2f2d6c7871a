"""Giving back the room of work that nobody settled, and clearing away what is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from apps.accounts.metering.errors import LedgerBusy
from apps.accounts.metering.reserving import beside
from apps.accounts.metering.settling import give_back
from apps.accounts.models import Counter, Limit, Reservation
from apps.accounts.tenancy.scope import platform

KEPT = timedelta(days=7)
"""How long reservations that are over are kept: repeats and late settlements find them. Events are kept for ever."""


def expire_reservations(now: datetime, *, limit: int = 1000) -> int:
    """Give back the room of reservations past their end. Returns how many."""
    with platform("find reservations that nobody settled"):
        due = list(
            Reservation.objects.filter(state=Reservation.State.OPEN, expires_at__lte=now)
            .order_by("expires_at")
            .values_list("account_id", "id")[:limit]
        )
    return sum(_expired(account_id, row_id) for account_id, row_id in due)


def _expired(account_id: UUID, row_id: UUID) -> bool:
    try:
        return beside(lambda: give_back(account_id, row_id, Reservation.State.EXPIRED))
    except LedgerBusy:
        return False  # the others are given back all the same, and this one the next time


def clear_away(now: datetime, *, limit: int = 10_000) -> int:
    """Remove reservations that are over and counters of short periods, a week later. Returns how many rows."""
    with platform("clear away reservations and counters that are over"):
        old = Reservation.objects.exclude(state=Reservation.State.OPEN).filter(at__lt=now - KEPT).order_by("at")
        rows = Reservation.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]
        short = Counter.objects.filter(
            period_start__lt=now - KEPT,
            limit__period__in=[Limit.Period.MINUTE, Limit.Period.HOUR, Limit.Period.DAY],
        )
        return int(rows) + int(
            Counter.objects.filter(pk__in=list(short.values_list("pk", flat=True)[:limit])).delete()[0]
        )
