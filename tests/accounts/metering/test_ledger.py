"""Reserve, do, settle: limits hold, whatever happens in between, and everything is counted once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.identifiers import uuid7
from apps.accounts.metering import (
    CostLimitReached,
    LimitReached,
    Line,
    PriceUnknown,
    QuantityLimitReached,
    UnknownReservation,
    caused_by,
    metered,
    release,
    reserve,
    settle,
)
from apps.accounts.metering.expiring import clear_away, expire_reservations
from apps.accounts.metering.limits import change_limit
from apps.accounts.metering.past import apply_prices
from apps.accounts.models import Account, Counter, DailyUsage, Job, Limit, LimitAlert, Reservation, UsageEvent
from apps.accounts.tenancy.scope import NoScope, platform, tenant
from tests.accounts.metering.conftest import CALL, OPERATOR, limit, price
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("X-03")]

NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return make_account()


def counter(account: Account, of: Limit) -> tuple[Decimal, Decimal]:
    """(used, reserved) of the newest period."""
    with tenant(account):
        row = Counter.objects.filter(limit=of).latest("period_start")
    return row.used, row.reserved


def events(account: Account) -> list[UsageEvent]:
    with tenant(account):
        return list(UsageEvent.objects.order_by("at", "line"))


def calls(account: Account, count: int = 1, **more: Any) -> Reservation:
    return reserve("integrations", Line("calls", count, "stripe"), account=account, **more)


# --- the common case


def test_what_was_used_is_counted_with_who_what_and_how_long(account: Account) -> None:
    connection_id = uuid7()
    actor = Actor("api_key", uuid7(), "API key x", None, uuid7())
    price("input_tokens", "anthropic/*", "3", per=1_000_000)
    with tenant(account), metered("integrations", CALL, subject=connection_id, actor=actor) as use:
        use.add("calls", 1, "anthropic")
        use.add("input_tokens", 1200, "anthropic/claude-sonnet-4")
    call, tokens = events(account)
    assert (call.source, call.subject, call.user_id, call.api_key_id) == (
        "integrations", connection_id, actor.user_id, actor.id,
    )  # fmt: skip
    assert (call.cost, call.ok) == (0, True)
    assert call.duration_ms is not None
    assert (tokens.quantity, tokens.unit_price, tokens.cost) == (1200, Decimal("0.000003"), Decimal("0.0036"))
    assert use.settled is not None
    assert use.settled.cost == Decimal("0.0036")


def test_without_saying_what_was_used_the_expected_counts(account: Account) -> None:
    with metered("integrations", CALL, account=account):
        pass
    assert [(event.quantity, event.unit, event.item) for event in events(account)] == [(1, "calls", "stripe")]


def test_a_failure_counts_its_call_as_an_error_and_nothing_else(account: Account) -> None:
    with pytest.raises(ZeroDivisionError), metered("chat", CALL, Line("input_tokens", 900, "x/y"), account=account):
        raise ZeroDivisionError
    assert [(event.unit, event.ok) for event in events(account)] == [("calls", False)]
    with tenant(account):
        day = DailyUsage.objects.get()
    assert (day.calls, day.errors) == (1, 1)


def test_work_that_was_not_done_gives_its_room_back(account: Account) -> None:
    of = limit(account, 1)
    with metered("chat", CALL, account=account) as use:
        use.nothing_done()
    assert counter(account, of) == (0, 0)
    assert events(account) == []


def test_a_request_that_fails_later_has_used_what_it_used(account: Account) -> None:
    of = limit(account, 5)

    def request() -> None:
        with tenant(account):
            with metered("integrations", CALL):
                assert counter(account, of) == (0, 1)  # seen by others while the request goes on
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        request()
    assert counter(account, of) == (1, 0)
    assert len(events(account)) == 1


def test_outside_of_an_account_nothing_is_metered() -> None:
    with pytest.raises(NoScope):
        reserve("chat", CALL)


@pytest.mark.parametrize("quantity", [-1, float("nan"), float("inf"), 10**17])
def test_what_cannot_be_counted_is_refused(quantity: float) -> None:
    with pytest.raises(ValueError, match="can't be counted"):
        Line("calls", quantity)


# --- refusals


def test_a_refusal_names_the_limit_what_is_used_reserved_and_when_it_resets(account: Account) -> None:
    of = limit(account, 3)
    with time_machine.travel(NOON, tick=False):
        settle(calls(account), CALL)
        calls(account, 2)
        with pytest.raises(QuantityLimitReached) as caught:
            calls(account)
    refusal = caught.value
    assert (refusal.limit, refusal.scope, refusal.period, refusal.unit) == (of.id, "account", "hour", "calls")
    assert (refusal.used, refusal.reserved, refusal.amount, refusal.asked) == (1, 2, 3, 1)
    assert refusal.resets_at == datetime(2026, 11, 21, 13, tzinfo=UTC)
    assert str(refusal) == (
        "The limit of this account is reached: 3 calls an hour, 1 call used and 2 calls reserved by work that is "
        "going on. It resets on 21 November 2026 at 13:00 UTC."
    )


def test_a_refused_block_is_not_entered(account: Account) -> None:
    limit(account, 0)
    entered = False
    with pytest.raises(LimitReached), metered("chat", CALL, account=account):
        entered = True
    assert not entered
    assert events(account) == []


def test_of_several_limits_none_keeps_what_another_refused(account: Account) -> None:
    wide = limit(account, 100, period="day")
    limit(account, 1)
    calls(account)
    with pytest.raises(QuantityLimitReached):
        calls(account)
    assert counter(account, wide) == (0, 1)


def test_a_limit_holds_for_its_target_alone(account: Account) -> None:
    mine, other = uuid7(), uuid7()
    limit(account, 1, scope="source", source="integrations", subject=mine)
    calls(account, subject=mine)
    calls(account, subject=other)
    reserve("chat", CALL, account=account)
    with pytest.raises(QuantityLimitReached):
        calls(account, subject=mine)


def test_what_a_workflow_causes_counts_for_it_and_for_the_connection(account: Account) -> None:
    workflow, connection = uuid7(), uuid7()
    of_workflow = limit(account, 1, scope="source", source="workflows", subject=workflow)
    of_connection = limit(account, 2, scope="source", source="integrations", subject=connection)
    with tenant(account), caused_by("workflows", workflow):
        with metered("integrations", CALL, subject=connection):
            pass
        with pytest.raises(QuantityLimitReached) as caught, metered("integrations", CALL, subject=connection):
            pass
    assert caught.value.limit == of_workflow.id
    assert counter(account, of_connection) == (1, 0)


def test_another_accounts_use_does_not_count(account: Account) -> None:
    limit(account, 1)
    calls(make_account())
    calls(account)


def test_a_limit_that_only_warns_refuses_nothing(account: Account) -> None:
    of = limit(account, 1, hard=False)
    calls(account, 5)
    assert counter(account, of) == (0, 5)


def test_work_of_unknown_size_is_refused_once_nothing_is_left(account: Account) -> None:
    price("output_tokens", "anthropic/*", "1")
    of = limit(account, 10, measure="cost")
    first = reserve("chat", CALL, account=account)  # a call costs nothing; its tokens are not known yet
    settle(first, Line("output_tokens", 10, "anthropic/x"))
    with pytest.raises(CostLimitReached):
        reserve("chat", CALL, account=account)
    assert counter(account, of) == (10, 0)


# --- once


def test_settling_twice_counts_once_and_says_the_same(account: Account) -> None:
    of = limit(account, 10)
    reservation = calls(account)
    first, second = settle(reservation, CALL), settle(reservation, CALL, CALL)
    assert (first.first, second.first) == (True, False)
    assert first.cost == second.cost
    assert counter(account, of) == (1, 0)
    assert len(events(account)) == 1


def test_an_idempotency_key_gives_the_first_reservation_again(account: Account) -> None:
    of = limit(account, 1)
    first = calls(account, idempotency_key="run 1")
    assert calls(account, idempotency_key="run 1").id == first.id
    settle(first, CALL)
    again = calls(account, idempotency_key="run 1")
    assert again.state == "settled"
    settle(again, CALL)
    assert counter(account, of) == (1, 0)
    with metered("integrations", CALL, account=account, idempotency_key="run 1") as use:
        assert use.repeated
    assert len(events(account)) == 1


def test_an_idempotency_key_is_remembered_after_its_reservation_is_cleared_away(account: Account) -> None:
    settle(calls(account, idempotency_key="run 1"), CALL)
    clear_away(timezone.now() + timedelta(days=8))
    with tenant(account):
        assert not Reservation.objects.exists()
    settle(calls(account, idempotency_key="run 1"), CALL)
    assert len(events(account)) == 1


def test_the_same_key_in_another_account_is_another_work(account: Account) -> None:
    first = calls(account, idempotency_key="run 1")
    assert calls(make_account(), idempotency_key="run 1").id != first.id


@pytest.mark.parametrize("ending", ["released", "expired"])
def test_a_key_whose_room_was_given_back_passes_the_limits_again(account: Account, ending: str) -> None:
    of = limit(account, 1)
    first = calls(account, idempotency_key="run 1")
    if ending == "released":
        release(first)
    else:
        expire_reservations(timezone.now() + timedelta(minutes=16))
    other = calls(account)
    with pytest.raises(QuantityLimitReached):
        calls(account, idempotency_key="run 1")
    release(other)
    again = calls(account, idempotency_key="run 1")
    assert (again.id, again.state) == (first.id, "open")
    assert counter(account, of) == (0, 1)
    assert [settle(one, CALL).first for one in (first, again)] == [True, False], "whoever comes first, it is one work"
    assert counter(account, of) == (1, 0)


def test_work_that_failed_is_tried_again_under_its_key_and_counted_again(account: Account) -> None:
    of = limit(account, 2)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), metered("chat", CALL, account=account, idempotency_key="run 1") as use:
            raise ZeroDivisionError
    assert not use.repeated
    assert [event.ok for event in events(account)] == [False, False]
    with pytest.raises(QuantityLimitReached):
        reserve("chat", CALL, account=account, idempotency_key="run 1")
    assert counter(account, of) == (2, 0)


def test_a_released_reservation_stays_released(account: Account) -> None:
    of = limit(account, 2)
    reservation = calls(account, 2)
    assert release(reservation)
    assert not release(reservation)
    assert counter(account, of) == (0, 0)


# --- nobody settles


def test_what_nobody_settles_is_given_back(account: Account) -> None:
    of = limit(account, 1)
    calls(account)
    assert expire_reservations(timezone.now() + timedelta(minutes=14)) == 0
    assert expire_reservations(timezone.now() + timedelta(minutes=16)) == 1
    assert expire_reservations(timezone.now() + timedelta(minutes=16)) == 0
    assert counter(account, of) == (0, 0)


def test_what_is_settled_after_it_expired_counts_once(account: Account) -> None:
    of = limit(account, 1)
    reservation = calls(account)
    expire_reservations(timezone.now() + timedelta(minutes=16))
    settle(reservation, CALL)
    settle(reservation, CALL)
    assert counter(account, of) == (1, 0)


def test_what_is_settled_after_it_was_cleared_away_counts_once(account: Account) -> None:
    reservation = calls(account)
    expire_reservations(timezone.now() + timedelta(minutes=16))
    clear_away(timezone.now() + timedelta(days=8))
    settle(reservation, CALL)
    settle(reservation, CALL)
    assert len(events(account)) == 1


def test_a_reservation_of_another_account_is_unknown(account: Account) -> None:
    reservation = calls(account)
    reservation.account_id = make_account().id
    reservation.state = "settled"
    with pytest.raises(UnknownReservation):
        settle(reservation, CALL)


# --- periods


def test_a_new_period_begins_empty_and_late_work_counts_where_it_began(account: Account) -> None:
    of = limit(account, 2)
    with time_machine.travel(NOON, tick=False) as clock:
        late = calls(account, 2)
        with pytest.raises(QuantityLimitReached):
            calls(account)
        clock.move_to(datetime(2026, 11, 21, 13, tzinfo=UTC))
        calls(account)
        settle(late, CALL, CALL)
    with tenant(account):
        rows = Counter.objects.filter(limit=of).order_by("period_start").values_list("used", "reserved")
        assert [tuple(row) for row in rows] == [(2, 0), (0, 1)]


@pytest.mark.parametrize(
    ("period", "last", "next_"),
    [
        ("minute", "2026-11-21T12:00:59.999999", "2026-11-21T12:01:00"),
        ("day", "2026-11-21T23:59:59.999999", "2026-11-22T00:00:00"),
        ("month", "2026-12-31T23:59:59.999999", "2027-01-01T00:00:00"),
        ("month", "2028-02-29T23:59:59.999999", "2028-03-01T00:00:00"),
    ],
)
def test_periods_begin_by_the_clock_in_utc(account: Account, period: str, last: str, next_: str) -> None:
    limit(account, 1, period=period)
    with time_machine.travel(datetime.fromisoformat(f"{last}+00:00"), tick=False) as clock:
        calls(account)
        with pytest.raises(QuantityLimitReached) as caught:
            calls(account)
        assert caught.value.resets_at == datetime.fromisoformat(f"{next_}+00:00")
        clock.move_to(datetime.fromisoformat(f"{next_}+00:00"))
        calls(account)


def test_a_limit_in_all_never_resets(account: Account) -> None:
    limit(account, 1, period="total")
    with time_machine.travel(NOON, tick=False) as clock:
        settle(calls(account), CALL)
        clock.shift(timedelta(days=800))
        with pytest.raises(QuantityLimitReached) as caught:
            calls(account)
    assert caught.value.resets_at is None
    assert "does not reset" in str(caught.value)


@pytest.mark.parametrize("period", ["hour", "day", "month", "total"])
def test_a_limit_set_in_the_middle_counts_what_was_used_and_reserved(account: Account, period: str) -> None:
    with time_machine.travel(NOON, tick=False):
        settle(calls(account, 3), Line("calls", 3))
        going_on = calls(account, 2)
        of = limit(account, 6, period=period)
        calls(account)
        with pytest.raises(QuantityLimitReached):
            calls(account)
        assert counter(account, of) == (3, 3)
        settle(going_on, CALL)
        assert counter(account, of) == (4, 1)


def test_a_limit_lowered_under_what_is_used_refuses_at_once(account: Account) -> None:
    of = limit(account, 10)
    settle(calls(account, 4), Line("calls", 4))
    with tenant(account):
        change_limit(of, actor=OPERATOR, amount=Decimal(3))
    with pytest.raises(QuantityLimitReached) as caught:
        calls(account)
    assert (caught.value.used, caught.value.amount) == (4, 3)


@pytest.mark.parametrize(("after", "more", "told"), [(20, 9, 90), (9, 1, 100)])
def test_after_a_limit_is_changed_its_steps_are_told_again(account: Account, after: int, more: int, told: int) -> None:
    of = limit(account, 10)
    settle(calls(account, 9), Line("calls", 9))
    begun = calls(account, 0)
    with tenant(account):
        assert list(LimitAlert.objects.values_list("percent", "amount")) == [(90, 10)]
        change_limit(of, actor=OPERATOR, amount=Decimal(after))
        assert not LimitAlert.objects.exists()
    settle(begun, Line("calls", more))
    with tenant(account):
        assert list(LimitAlert.objects.values_list("percent", "amount")) == [(told, after)]
        assert Job.objects.filter(kind="limit.alert_mail").count() == 2


# --- money


def test_the_price_of_the_day_counts(account: Account) -> None:
    price("searches", "zerodb", "0.01")
    price("searches", "zerodb", "0.02", starts_at=datetime(2026, 12, 1, tzinfo=UTC))
    costs = []
    for day in (date(2026, 11, 30), date(2026, 12, 1)):
        with time_machine.travel(datetime(day.year, day.month, day.day, 12, tzinfo=UTC), tick=False):
            costs.append(settle(reserve("api", account=account), Line("searches", 1, "zerodb")).cost)
    assert costs == [Decimal("0.01"), Decimal("0.02")]


def test_the_exact_item_is_dearer_than_its_provider_and_that_than_all(account: Account) -> None:
    price("pages", "*", "1")
    price("pages", "acme/*", "2")
    price("pages", "acme/large", "3")
    costs = [
        settle(reserve("api", account=account), Line("pages", 1, item)).cost
        for item in ("other", "acme", "acme/small", "acme/large")
    ]
    assert costs == [1, 2, 2, 3]


def test_an_unknown_price_is_unknown_and_not_nothing(account: Account) -> None:
    settled = settle(reserve("chat", account=account), CALL, Line("input_tokens", 5, "nobody/knows"))
    assert (settled.cost, settled.unpriced) == (0, 1)
    assert settle(reserve("chat", account=account), Line("input_tokens", 5, "nobody/knows")).cost is None
    event = next(event for event in events(account) if event.unit == "input_tokens")
    assert (event.unit_price, event.cost) == (None, None)
    with tenant(account):
        assert DailyUsage.objects.get(unit="input_tokens").unpriced == 2


def test_a_hard_limit_of_cost_refuses_what_nobody_knows_the_price_of(account: Account) -> None:
    of = limit(account, 10, measure="cost")
    with pytest.raises(PriceUnknown) as caught:
        reserve("chat", Line("input_tokens", 5, "nobody/knows"), account=account)
    assert caught.value.limit == of.id
    assert "input tokens of nobody/knows" in str(caught.value)


def test_a_limit_that_lets_it_pass_counts_it_beside(account: Account) -> None:
    of = limit(account, 10, measure="cost", allow_unpriced=True)
    tokens = Line("input_tokens", 5, "nobody/knows")
    settle(reserve("chat", tokens, account=account), tokens)
    with tenant(account):
        row = Counter.objects.get(limit=of)
    assert (row.used, row.reserved, row.unpriced) == (0, 0, 1)


def test_a_price_that_is_entered_later_settles_past_work_everywhere(account: Account) -> None:
    of = limit(account, 10, measure="cost", allow_unpriced=True)
    pages = Line("pages", 3, "acme/large")
    for _ in range(2):
        settle(reserve("chat", account=account), pages, Line("pages", 1, "other"))
    apply_prices(timezone.now())
    price("pages", "acme/*", "1.5")
    assert apply_prices(timezone.now()) == 2
    assert apply_prices(timezone.now()) == 0
    assert [event.cost for event in events(account) if event.item == "acme/large"] == [Decimal("4.5")] * 2
    with tenant(account):
        day = DailyUsage.objects.get(item="acme/large")
        row = Counter.objects.get(limit=of)
        assert LimitAlert.objects.get().percent == 90
    assert (day.cost, day.unpriced) == (9, 0)
    assert (row.used, row.unpriced) == (9, 2)


def test_a_price_does_not_reach_before_its_beginning(account: Account) -> None:
    settle(reserve("chat", account=account), Line("pages", 1, "acme"))
    price("pages", "acme", "1", starts_at=timezone.now() + timedelta(seconds=1))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert apply_prices(timezone.now()) == 0
    assert events(account)[0].cost is None


def test_on_a_platform_with_another_currency_only_what_is_free_has_the_products_price(
    account: Account, settings: Any
) -> None:
    price("pages", "*", "0")
    price("pages", "acme/large", "3")  # in dollars
    settings.CURRENCY = "EUR"
    of = limit(account, 10, measure="cost")
    settle(reserve("chat", CALL, account=account), CALL)
    assert settle(reserve("chat", account=account), Line("pages", 1, "acme/small")).cost == 0
    assert settle(reserve("chat", account=account), Line("pages", 1, "acme/large")).cost is None, "not 0, not 3"
    with pytest.raises(PriceUnknown):
        reserve("chat", Line("pages", 1, "acme/large"), account=account)
    price("pages", "acme/large", "2", starts_at=datetime(2026, 2, 1, tzinfo=UTC))
    settle(reserve("chat", account=account), Line("pages", 1, "acme/large"))
    assert counter(account, of) == (2, 0)


# --- at the same moment


def together(count: int, work: Callable[[int], Any], threads: int = 20) -> list[Any]:
    """``work(n)`` for each n, in threads with connections of their own; exceptions are results."""
    gate = threading.Barrier(threads)

    def run(number: int) -> Any:
        if number < threads:
            gate.wait(timeout=60)
        try:
            return work(number)
        except LimitReached as refusal:
            return refusal

    try:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(run, range(count)))
    finally:
        connections.close_all()


def closing(work: Callable[[int], Any]) -> Callable[[int], Any]:
    def run(number: int) -> Any:
        try:
            return work(number)
        finally:
            connections.close_all()

    return run


def test_a_hundred_callers_at_once_use_exactly_what_there_is(account: Account) -> None:
    of = limit(account, 37)
    results = together(100, closing(lambda _: settle(calls(account), CALL)))
    assert sum(isinstance(result, LimitReached) for result in results) == 63
    assert counter(account, of) == (37, 0)
    assert sum(event.quantity for event in events(account)) == 37


def test_a_hundred_callers_who_use_a_little_more_overshoot_by_no_more_than_their_own(account: Account) -> None:
    price("output_tokens", "x/*", "1")
    of = limit(account, 50, measure="cost")

    def work(_: int) -> Any:
        with metered("chat", Line("output_tokens", 10, "x/y"), account=account) as use:
            use.add("output_tokens", Decimal("10.5"), "x/y")

    results = together(100, closing(work))
    done = sum(not isinstance(result, LimitReached) for result in results)
    used, reserved = counter(account, of)
    assert (used, reserved) == (Decimal("10.5") * done, 0)
    assert done <= 5


def test_one_key_at_once_is_one_reservation(account: Account) -> None:
    of = limit(account, 10)
    results = together(20, closing(lambda _: calls(account, idempotency_key="same").id))
    assert len(set(results)) == 1
    assert counter(account, of) == (0, 1)


def test_settling_at_once_counts_once(account: Account) -> None:
    reservation = calls(account)
    results = together(20, closing(lambda _: settle(reservation, CALL).first))
    assert results.count(True) == 1
    assert len(events(account)) == 1


def test_a_limit_set_while_others_work_has_seen_everything(account: Account) -> None:
    made: list[Limit] = []

    def work(number: int) -> Any:
        if number == 50:
            made.append(limit(account, 1000, period="day"))
        return settle(calls(account), CALL)

    together(120, closing(work))
    calls(account)
    assert counter(account, made[0]) == (120, 1)


def test_the_days_sums_are_the_sums_of_the_events(account: Account) -> None:
    price("searches", "zerodb", "0.001")

    def work(number: int) -> Any:
        with metered("chat", CALL, account=account) as use:
            use.add("searches", number, "zerodb")
            use.add("input_tokens", 1, f"model/{number % 3}")

    together(60, closing(work))
    rows = events(account)
    with tenant(account):
        days = list(DailyUsage.objects.all())
    for unit in ("searches", "input_tokens"):
        assert sum(day.quantity for day in days if day.unit == unit) == sum(e.quantity for e in rows if e.unit == unit)
    assert sum(day.cost for day in days) == sum(event.cost or 0 for event in rows)
    assert sum(day.calls for day in days) == 60
    assert sum(day.unpriced for day in days) == 60
    with platform("look"):
        assert not Reservation.objects.filter(state="open").exists()
