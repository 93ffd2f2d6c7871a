"""When a host is left alone, and how long anybody waits."""

import time
from email.utils import formatdate
from uuid import UUID

import httpx2
import pytest

from apps.accounts.identifiers import uuid7
from apps.integrations.outbound import breaker as breaker_module
from apps.integrations.outbound.backoff import delay, read_retry_after
from apps.integrations.outbound.breaker import FAILURES, OPEN_SECONDS, Breaker, breaker_for, close_all
from apps.integrations.outbound.errors import BadAnswer, CircuitOpen, OutboundError
from apps.integrations.outbound.http import HttpClient
from apps.integrations.providers import provider
from apps.integrations.providers.errors import Unavailable
from tests.integrations.language_models.asking import request as chat_request

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


def url(text: str) -> httpx2.URL:
    return httpx2.URL(text)


def test_each_server_has_one_breaker():
    one = breaker_for(url("https://a.example/v1"))
    assert one is breaker_for(url("https://a.example:443/v2")) is breaker_for(url("https://A.example"))
    for other in ("https://b.example", "https://a.example:8443", "http://a.example", "http://a.example:443"):
        assert one is not breaker_for(url(other)), other


def test_an_account_has_breakers_of_its_own_for_addresses_that_it_wrote():
    address, one, other = url("https://llm.example/v1"), uuid7(), uuid7()
    breakers = {id(breaker_for(address, written_by=account)) for account in (None, one, other)}
    assert len(breakers) == 3
    assert breaker_for(address, written_by=one) is breaker_for(url("https://llm.example:443"), written_by=one)


def test_only_so_many_breakers_are_kept_and_the_latest_of_them(monkeypatch):
    close_all()
    monkeypatch.setattr(breaker_module, "_MOST", 3)
    kept = [breaker_for(url(f"https://{name}.example")) for name in "abc"]
    assert breaker_for(url("https://a.example")) is kept[0]
    breaker_for(url("https://d.example"))
    assert breaker_for(url("https://a.example")) is kept[0]
    assert breaker_for(url("https://b.example")) is not kept[1]
    close_all()


def test_the_broken_server_of_one_account_is_not_shut_for_another(httpserver, settings):
    close_all()
    settings.OUTBOUND_ALLOW = ["localhost"]
    settings.PROVIDER_URLS = {}
    httpserver.expect_request("/v1/models").respond_with_data(b"{}", status=500)
    definition, address = provider("openai_compatible"), {"base_url": httpserver.url_for("/v1")}

    def ask(account_id: UUID) -> OutboundError:
        with definition.client_class(definition, {}, address, attempts=1, account_id=account_id) as client:
            with pytest.raises(OutboundError) as failure:
                client.test()
            with pytest.raises(OutboundError):
                list(client.chat(chat_request()))
        return failure.value

    one, other = uuid7(), uuid7()
    for _ in range(FAILURES):
        ask(one)
    assert isinstance(ask(one), CircuitOpen)
    assert isinstance(ask(other), Unavailable)
    close_all()


def test_an_address_that_the_operator_put_in_the_place_of_all_is_shared(httpserver, settings):
    close_all()
    settings.OUTBOUND_ALLOW = ["localhost"]
    settings.PROVIDER_URLS = {"openai_compatible": httpserver.url_for("/v1")}
    definition, one, other = provider("openai_compatible"), uuid7(), uuid7()
    for account_id in (one, other):
        with definition.client_class(
            definition, {}, {"base_url": "https://llm.example"}, account_id=account_id
        ) as client:
            assert client.writer_of(client.base_url()) is None
    close_all()


def test_a_trial_that_ends_in_an_answer_that_can_not_be_used_closes_the_circuit(httpserver, settings, breaker, clock):
    settings.OUTBOUND_ALLOW = ["localhost"]
    httpserver.expect_request("/large").respond_with_data(b"x" * 2048)
    for _ in range(FAILURES):
        breaker.failed()
    clock.now += OPEN_SECONDS + 1
    options = {"headers": {}, "judge": lambda _: None, "attempts": 1, "maximum_answer": 1024, "breaker": breaker}
    with HttpClient(httpserver.url_for("/"), **options) as http, pytest.raises(BadAnswer):
        http.call("GET", "large", repeatable=True)
    assert not is_open(breaker) and not is_open(breaker)


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
