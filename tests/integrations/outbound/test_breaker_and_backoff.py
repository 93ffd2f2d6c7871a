"""When a host is left alone, and how long anybody waits."""

import time
from email.utils import formatdate

import pytest

from apps.integrations.outbound.backoff import delay, read_retry_after
from apps.integrations.outbound.breaker import FAILURES, OPEN_SECONDS, Breaker, breaker_for, close_all
from apps.integrations.outbound.errors import BadAnswer, CircuitOpen
from apps.integrations.outbound.http import HttpClient

pytestmark = pytest.mark.covers("P-10")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker("api.example", clock=clock)


def is_open(breaker: Breaker) -> bool:
    try:
        breaker.before_call()
    except CircuitOpen:
        return True
    return False


def test_it_opens_after_failures_in_a_row_only(breaker):
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert not is_open(breaker)
    breaker.failed()
    with pytest.raises(CircuitOpen) as refusal:
        breaker.before_call()
    assert "api.example" in str(refusal.value) and refusal.value.retry_after == OPEN_SECONDS
    assert not refusal.value.maybe_done and not refusal.value.permanent


def test_after_a_while_one_call_tries_and_decides(breaker, clock):
    for _ in range(FAILURES):
        breaker.failed()
    clock.now += OPEN_SECONDS + 1
    assert [is_open(breaker) for _ in range(3)] == [False, True, True]
    breaker.failed()
    assert is_open(breaker)
    clock.now += OPEN_SECONDS + 1
    assert not is_open(breaker)
    breaker.succeeded()
    assert [is_open(breaker) for _ in range(3)] == [False] * 3


def test_each_host_has_one_breaker():
    assert breaker_for("a.example:443") is breaker_for("a.example:443") is not breaker_for("b.example:443")


def test_delays_grow_up_to_the_longest_and_are_spread():
    for attempt, step in [(1, 0.5), (2, 1.0), (3, 2.0), (20, 20.0)]:
        delays = [delay(attempt) for _ in range(200)]
        assert all(step * 0.2 <= seconds <= step for seconds in delays)
        assert max(delays) - min(delays) > step * 0.4


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), ("7", 7), ("0", 0), ("-3", 0), ("1.5", 1.5), ("soon", None), ("", None)]
)
def test_retry_after_in_seconds(value, expected):
    assert read_retry_after(value) == expected


def test_retry_after_as_a_date():
    assert read_retry_after(formatdate(time.time() + 30, usegmt=True)) == pytest.approx(30, abs=2)
    assert read_retry_after(formatdate(time.time() - 30, usegmt=True)) == 0


def test_an_answer_that_can_not_be_used_does_not_shut_the_host_for_others(httpserver, settings):
    """One account could shut a host that many use, by asking it for something too large."""
    close_all()
    settings.OUTBOUND_ALLOW = ["localhost"]
    httpserver.expect_request("/large").respond_with_data(b"x" * 2048)
    httpserver.expect_request("/small").respond_with_data(b"x")
    with HttpClient(httpserver.url_for("/"), headers={}, judge=lambda _: None, attempts=1, maximum_answer=1024) as http:
        for _ in range(FAILURES + 1):
            with pytest.raises(BadAnswer):
                http.call("GET", "large", repeatable=True)
        assert http.call("GET", "small", repeatable=True).status == 200
    close_all()
