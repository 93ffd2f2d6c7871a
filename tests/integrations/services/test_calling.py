"""What a call of a connection leaves behind: when it was used, what went wrong, and what to do."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections, transaction
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.accounts.actors import Actor
from apps.accounts.metering import LimitReached, Line
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account, Reservation, UsageEvent
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.contracts.crm import Person
from apps.integrations.contracts.payment import Checkout, Order
from apps.integrations.models import Integration, IntegrationFailure
from apps.integrations.outbound.breaker import close_all
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers.errors import CredentialRefused, RateLimited, Refused
from apps.integrations.selectors import integration_for
from apps.integrations.services import crm, maps, payment, storage
from apps.integrations.services.calling import NotConfigured, calling
from apps.integrations.services.connections import connect, lock_integration
from apps.integrations.services.outcomes import clear_error
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-10")]
ACTOR = Actor.system("tests")
JOB = "payment.get_payment"


@pytest.fixture
def account(transactional_db: Any) -> Account:
    return make_account()


@pytest.fixture
def stripe(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    close_all()
    settings.PROVIDER_URLS = {"stripe": httpserver.url_for("/v1")}
    settings.OUTBOUND_ALLOW = ["localhost"]
    return httpserver


def connection(account: Account, **values: Any) -> Integration:
    with tenant(account):
        return connect(
            actor=ACTOR,
            category="payment",
            provider_name="stripe",
            credentials={"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"},
            **values,
        )


def answer(server: HTTPServer, status: int) -> None:
    server.clear()
    server.expect_request("/v1/balance").respond_with_response(
        Response(b'{"livemode": false}', status=status, mimetype="application/json")
    )


def call_once(account: Account) -> None:
    with tenant(account), calling(JOB, actor=ACTOR) as call:
        call.client.test()


def kept(account: Account) -> Integration:
    with tenant(account):
        return Integration.objects.get()


def test_a_call_that_went_well_is_noted_and_mends_a_known_error(account: Account, stripe: HTTPServer) -> None:
    connection(account)
    answer(stripe, 401)
    with pytest.raises(CredentialRefused):
        call_once(account)
    failed = kept(account)
    assert failed.status == Integration.Status.ERROR
    assert (failed.last_error_message, failed.last_error_todo) == (
        "Stripe does not accept the credential.",
        "Enter a new credential.",
    )
    answer(stripe, 200)
    call_once(account)
    mended = kept(account)
    assert mended.status == Integration.Status.CONNECTED
    assert (mended.last_error_at, mended.last_error_message, mended.last_error_todo) == (None, "", "")
    assert mended.last_used_at is not None


def test_an_error_is_kept_although_the_caller_rolls_back(account: Account, stripe: HTTPServer) -> None:
    connection(account)
    answer(stripe, 429)
    with pytest.raises(RateLimited), tenant(account), transaction.atomic(), calling(JOB, actor=ACTOR) as call:
        call.client.test()
    assert kept(account).status == Integration.Status.BACKOFF


def test_a_request_that_was_wrong_in_itself_says_nothing_of_the_connection(
    account: Account, stripe: HTTPServer
) -> None:
    connection(account)
    answer(stripe, 400)
    with pytest.raises(Refused):
        call_once(account)
    assert kept(account).status == Integration.Status.CONNECTED
    assert kept(account).last_error_message == ""


def test_a_fault_of_our_own_is_not_blamed_on_the_service(account: Account, stripe: HTTPServer) -> None:
    connection(account)
    with pytest.raises(ZeroDivisionError), tenant(account), calling(JOB, actor=ACTOR):
        _ = 1 / 0
    assert kept(account).status == Integration.Status.CONNECTED


@pytest.mark.parametrize("status", [200, 500])
def test_a_call_does_not_wait_for_whoever_holds_the_connection(
    account: Account, stripe: HTTPServer, status: int
) -> None:
    row = connection(account)
    answer(stripe, status)
    held, over = Event(), Event()

    def hold() -> None:
        with tenant(account):
            lock_integration(row.id)
            held.set()
            over.wait(60)
        connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(60)
    began = time.monotonic()
    with suppress(OutboundError):
        call_once(account)
    waited = time.monotonic() - began
    over.set()
    holder.join()
    assert waited < 30
    assert kept(account).last_used_at is None, "the row was somebody else's"
    with tenant(account):
        assert IntegrationFailure.objects.count() == (status == 500), "why a call failed is kept all the same"
        assert UsageEvent.objects.count() == 1


def test_the_time_of_use_is_not_written_by_every_call(account: Account, stripe: HTTPServer) -> None:
    """Parallel calls would wait for each other's row."""
    connection(account)
    answer(stripe, 200)
    with time_machine.travel("2026-05-01T10:00:00Z", tick=False) as clock:
        call_once(account)
        first = kept(account).last_used_at
        clock.shift(10)
        call_once(account)
        assert kept(account).last_used_at == first
        clock.shift(30)
        call_once(account)
        assert kept(account).last_used_at != first


def test_a_person_puts_an_error_aside(account: Account, stripe: HTTPServer) -> None:
    row = connection(account)
    answer(stripe, 401)
    with pytest.raises(OutboundError):
        call_once(account)
    with tenant(account):
        clear_error(row.id)
    assert kept(account).status == Integration.Status.CONNECTED


def test_without_a_connection_it_says_what_to_do(account: Account) -> None:
    with pytest.raises(NotConfigured) as failure, tenant(account):
        maps.geocode("Lange Straße 1, Köln", actor=ACTOR)
    assert str(failure.value) == "No connection for “Maps” is set up."
    assert failure.value.todo == "Connect a service under Integrations › Maps."


def test_a_disabled_connection_is_called_by_nobody(account: Account) -> None:
    connection(account, enabled=False)
    with pytest.raises(NotConfigured):
        call_once(account)


def test_viewers_call_nothing(account: Account) -> None:
    connection(account)
    viewer = Actor("user", None, "viewer@mail.example", Role.VIEWER)
    with pytest.raises(PermissionDenied), tenant(account):
        payment.get_payment("cs_1", actor=viewer)


def test_the_default_connection_comes_before_named_ones(account: Account) -> None:
    connection(account, name="Second shop")
    with tenant(account):
        assert integration_for("payment", "stripe") is not None
    connection(account)
    with tenant(account):
        assert [
            getattr(integration_for("payment", name=name), "name", None) for name in (None, "Second shop", "x")
        ] == [
            "",
            "Second shop",
            None,
        ]
        assert integration_for("payment", "paypal") is None


def test_another_accounts_connection_is_not_found(account: Account) -> None:
    connection(account)
    with tenant(make_account()):
        assert integration_for("payment") is None


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda: crm.upsert_contact(Person(email="nobody"), actor=ACTOR), "email"),
        (lambda: crm.find_contact("", actor=ACTOR), "email"),
        (lambda: maps.geocode(" ", actor=ACTOR), "address"),
        (lambda: maps.reverse(91, 0, actor=ACTOR), "latitude"),
        (lambda: maps.reverse(0, float("nan"), actor=ACTOR), "longitude"),
        (lambda: storage.put("../x", b"", content_type="text/plain", actor=ACTOR), "key"),
        (lambda: storage.get("a//b", actor=ACTOR), "key"),
        (lambda: storage.presign("a", seconds=0, actor=ACTOR), "seconds"),
        (lambda: pay(amount=Decimal("0")), "amount"),
        (lambda: pay(amount=Decimal("NaN")), "amount"),
        (lambda: pay(amount=Decimal("1.005")), "amount"),
        (lambda: pay(currency="€"), "currency"),
        (lambda: pay(success_url="javascript:alert(1)"), "success_url"),
    ],
)
def test_bad_input_names_the_field_and_calls_nobody(account: Account, ask: Any, field: str) -> None:
    with pytest.raises(ValidationError) as failure, tenant(account):
        ask()
    assert list(failure.value.message_dict) == [field]


def pay(**values: Any) -> Checkout:
    given = {
        "amount": Decimal("12.50"),
        "currency": "EUR",
        "description": "A chair",
        "success_url": "https://shop.example/thanks",
        "cancel_url": "https://shop.example/basket",
        "reference": "order-1",
        **values,
    }
    return payment.create_checkout(Order(**given), idempotency_key="order-1", actor=ACTOR)


@pytest.mark.covers("X-03", "I-11")
def test_a_call_stands_in_the_ledger_with_its_latency_and_what_was_used(account: Account, stripe: HTTPServer) -> None:
    row = connection(account)
    answer(stripe, 200)
    with tenant(account), calling(JOB, actor=ACTOR) as call:
        call.client.test()
        call.used.append(Line("payments", 2, "stripe"))
    assert call.settled is not None
    answer(stripe, 500)
    with pytest.raises(OutboundError):
        call_once(account)
    with tenant(account):
        events = UsageEvent.objects.filter(subject=row.id).order_by("at", "unit")
        told = [(event.source, event.unit, event.item, int(event.quantity), event.ok) for event in events]
        assert told == [
            ("integrations", "calls", "stripe", 1, True),
            ("integrations", "payments", "stripe", 2, True),
            ("integrations", "calls", "stripe", 1, False),
        ]
        assert events[0].duration_ms is not None
        assert not Reservation.objects.filter(state=Reservation.State.OPEN).exists()


@pytest.mark.covers("X-03")
def test_a_connections_own_limit_is_held_before_anything_is_sent(account: Account, stripe: HTTPServer) -> None:
    row = connection(account)
    answer(stripe, 200)
    with tenant(account):
        set_limit(
            actor=ACTOR,
            scope="source",
            source="integrations",
            subject=row.id,
            measure="quantity",
            unit="calls",
            period="day",
            amount=Decimal(1),
        )
    call_once(account)
    with pytest.raises(LimitReached) as refusal:
        call_once(account)
    assert len(stripe.log) == 1
    assert (refusal.value.used, refusal.value.amount) == (1, 1)
    assert kept(account).status == Integration.Status.CONNECTED
