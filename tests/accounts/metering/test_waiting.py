"""Who waits for whom: a change of a limit keeps nobody from counting, and the ledger never waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from apps.accounts.metering import LedgerBusy, Line, reserve, settle
from apps.accounts.metering import counters as counters_module
from apps.accounts.metering.expiring import expire_reservations
from apps.accounts.metering.limits import change_limit, remove_limit, set_limit
from apps.accounts.models import Account, APIKey, Counter, Limit, Reservation
from apps.accounts.services.api_keys import update_api_key
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import AuditHead
from tests.accounts.metering.conftest import CALL, OPERATOR, limit
from tests.factories import make_account, make_api_key
from tests.threads import somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("X-03")]


@pytest.fixture
def account() -> Account:
    return make_account()


def started(work: Callable[[], Any]) -> threading.Thread:
    """``work`` on a connection of its own, until it waits for a lock or has ended."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive() and not somebody_waits_for_a_lock():
        time.sleep(0.02)
    return thread


@contextmanager
def held(account: Account, rows: Callable[[], Any]) -> Iterator[None]:
    """Somebody else's transaction has these rows locked."""
    ready, over = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant(account):
            list(rows().select_for_update())
            ready.set()
            over.wait(60)

    thread = threading.Thread(target=lambda: (hold(), connections.close_all()))
    thread.start()
    assert ready.wait(60)
    try:
        yield
    finally:
        over.set()
        thread.join()


def _limit_changed(account: Account) -> Callable[[], Any]:
    row = limit(account, 10)

    def work() -> None:
        with tenant(account):
            change_limit(row, actor=OPERATOR, amount=Decimal(20))

    return work


def _key_changed(account: Account) -> Callable[[], Any]:
    make_api_key(account, cost_limit_per_month=Decimal(10))

    def work() -> None:
        with tenant(account):
            update_api_key(APIKey.objects.get(), actor=OPERATOR, cost_limit_per_month=Decimal(20))

    return work


@pytest.mark.parametrize("prepare", [_limit_changed, _key_changed])
def test_whoever_holds_the_end_of_the_trail_counts_while_a_limit_waits_to_be_changed(
    account: Account, prepare: Callable[[Account], Callable[[], Any]]
) -> None:
    change = prepare(account)
    with tenant(account):
        first = {} if prepare is _limit_changed else {"api_key_id": APIKey.objects.get().id}
    settle(reserve("chat", CALL, account=account, **first), CALL)
    with tenant(account):
        AuditHead.objects.select_for_update().get()
        thread = started(change)
        assert thread.is_alive(), "it waits for the end of the trail"
        settle(reserve("chat", CALL, **first), CALL)  # waiting would end in LedgerBusy, or in a deadlock
    thread.join()
    with tenant(account):
        assert Counter.objects.get().limit.amount == 20


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters_module, "LOCK_WAIT", timedelta(milliseconds=200))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("in_a_request", [False, True])
def test_a_counter_that_somebody_holds_is_an_error_and_not_a_hang(account: Account, in_a_request: bool) -> None:
    limit(account, 10)
    settle(reserve("chat", CALL, account=account), CALL)
    begun = reserve("chat", CALL, account=account)
    with held(account, lambda: Counter.objects.all()):
        for work in (lambda: reserve("chat", CALL, account=account), lambda: settle(begun, CALL)):
            with pytest.raises(LedgerBusy), tenant(account) if in_a_request else nullcontext():
                work()
    assert settle(begun, CALL).first, "what was not counted then is counted now"


@pytest.mark.usefixtures("short")
def test_what_one_account_holds_does_not_keep_the_room_of_others_from_being_given_back(account: Account) -> None:
    limit(account, 10)
    other = make_account()
    for one in (account, other):
        reserve("chat", Line("calls", 1, "stripe"), account=one)
    with held(account, lambda: Counter.objects.all()):
        assert expire_reservations(timezone.now() + timedelta(hours=1)) == 1
    with tenant(other):
        assert Reservation.objects.get().state == "expired"
    assert expire_reservations(timezone.now() + timedelta(hours=1)) == 1


def test_work_that_waited_for_a_limit_that_is_removed_is_let_in(account: Account) -> None:
    row = limit(account, 10)
    reserve("chat", CALL, account=account)
    results: list[Any] = []
    with tenant(account):
        remove_limit(row, actor=OPERATOR)
        thread = started(lambda: results.append(reserve("chat", CALL, account=account)))
        assert thread.is_alive(), "it waits for the counter"
    thread.join()
    assert [one.holds for one in results] == [[]]


def test_a_limit_that_is_set_twice_at_once_is_one_limit_and_no_error(account: Account) -> None:
    results: list[Any] = []
    with tenant(account):
        set_limit(actor=OPERATOR, amount=Decimal(5))
        thread = started(lambda: results.append(limit(account, 7, measure="cost")))
        assert thread.is_alive(), "it waits for the first"
    thread.join()
    assert results
    with tenant(account):
        assert Limit.objects.get().amount == 7
