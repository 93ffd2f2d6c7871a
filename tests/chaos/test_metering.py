"""A process that dies between reserving and settling: its room comes back, and what was settled stays, once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.metering import Line, reserve, settle
from apps.accounts.metering.expiring import expire_reservations
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Counter, Reservation, UsageEvent
from apps.accounts.tenancy.scope import tenant
from tests.accounts.metering.conftest import OPERATOR
from tests.chaos.processes import crashed, forget_crash, run_python
from tests.factories import make_account

pytestmark = [
    pytest.mark.covers("X-03", "X-06"),
    pytest.mark.chaos,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]

POINTS = ["metering.after_reserve", "metering.before_settled", "metering.after_settle"]
WORK = """
from uuid import UUID
from apps.accounts.metering import Line, metered
with metered("chat", Line("calls", 1, "x"), account=UUID("{account}"), idempotency_key="once"):
    pass
"""


@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_lost_and_nothing_counted_twice(point: str) -> None:
    account = make_account()
    with tenant(account):
        set_limit(actor=OPERATOR, amount=Decimal(5), measure="quantity", unit="calls", period="total")
    settle(reserve("chat", Line("calls", 1, "x"), account=account), Line("calls", 1, "x"))
    forget_crash(point)
    try:
        assert run_python(WORK.format(account=account.id), STRONGROOM_CRASH_AT=point) == -9
        assert crashed(point)
        settled = point == "metering.after_settle"
        with tenant(account):
            counter = Counter.objects.get()
            assert (counter.used, counter.reserved) == ((2, 0) if settled else (1, 1))
        # Tried again with the same key, as a job is: it goes on where it was.
        assert run_python(WORK.format(account=account.id)) == 0
        expire_reservations(timezone.now() + timedelta(hours=1))
        with tenant(account):
            counter = Counter.objects.get()
            assert (counter.used, counter.reserved) == (2, 0)
            assert UsageEvent.objects.count() == 2
            assert not Reservation.objects.filter(state="open").exists()
    finally:
        forget_crash(point)
