"""Whatever is done in whatever order: nothing over a limit, nothing counted twice, nothing left reserved."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.accounts.metering import LimitReached, Line, release, reserve, settle
from apps.accounts.metering.expiring import expire_reservations
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account, Counter, DailyUsage, Reservation, UsageEvent
from apps.accounts.tenancy.scope import tenant
from tests.accounts.metering.conftest import OPERATOR
from tests.factories import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.covers("X-03")]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(0, 6), st.sampled_from(["chat", "api"])),
        st.tuples(st.just("settle"), st.integers(0, 5), st.integers(0, 9)),
        st.tuples(st.just("release"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("expire"), st.just(0), st.just(0)),
        st.tuples(st.just("limit"), st.integers(0, 15), st.sampled_from(["", "chat"])),
    ),
    min_size=5,
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[("reserve", 1, "chat"), ("release", 0, 0), ("limit", 0, ""), ("reserve", 0, "chat"), ("settle", 0, 1)])
@given(steps=STEPS)
def test_the_books_add_up_after_any_steps(db: None, steps: list[tuple[str, Any, Any]]) -> None:
    account = make_account()
    held: list[Reservation] = []
    over = Decimal(0)  # what settled work used beyond its reservation, and what was reserved before a limit came
    for verb, number, more in steps:
        if verb == "reserve":
            with suppress(LimitReached):
                held.append(reserve(more, Line("calls", number, "x"), account=account))
        elif verb == "settle" and number < len(held):
            given_lines = sum(Decimal(line[1]) for line in held[number].lines)
            with tenant(account):
                # Asked of the row: releasing and expiring tell nobody else.
                is_late = not Reservation.objects.filter(pk=held[number].pk, state="open").exists()
            if settle(held[number], Line("calls", more, "x")).first:
                over += max(Decimal(0), Decimal(more) - given_lines) + given_lines * is_late
        elif verb == "release" and number < len(held):
            release(held[number])
        elif verb == "expire":
            expire_reservations(timezone.now() + timedelta(hours=1))
            over += sum(Decimal(line[1]) for one in held for line in one.lines)  # may be settled late
        elif verb == "limit":
            over += _limit(account, number, more)
        _check(account, over)
    for reservation in held:
        release(reservation)
    with tenant(account):
        assert all(counter.reserved == 0 for counter in Counter.objects.all())


def _limit(account: Account, amount: int, source: str) -> Decimal:
    """Set one; what is used and reserved already may be over it."""
    scope = {"scope": "source", "source": source} if source else {}
    with tenant(account):
        set_limit(actor=OPERATOR, amount=Decimal(amount), measure="quantity", unit="calls", period="total", **scope)
        used = sum(UsageEvent.objects.values_list("quantity", flat=True), Decimal(0))
        lines = Reservation.objects.filter(state="open").values_list("lines", flat=True)
        return used + sum((Decimal(line[1]) for one in lines for line in one), Decimal(0))


def _check(account: Account, over: Decimal) -> None:
    with tenant(account):
        events = list(UsageEvent.objects.all())
        going_on = list(Reservation.objects.filter(state="open"))
        for counter in Counter.objects.select_related("limit"):
            source = counter.limit.source
            used = sum((one.quantity for one in events if not source or one.source == source), Decimal(0))
            reserved = sum(
                (Decimal(line[1]) for one in going_on if not source or one.source == source for line in one.lines),
                Decimal(0),
            )
            assert counter.used == used
            assert counter.reserved == reserved
            assert counter.used + counter.reserved <= counter.limit.amount + over
        days = list(DailyUsage.objects.all())
        assert sum(day.quantity for day in days) == sum(event.quantity for event in events)
        assert sum(day.calls for day in days) == len({event.reservation_id for event in events})
