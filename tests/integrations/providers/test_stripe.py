"""Stripe."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_httpserver import HTTPServer

from apps.integrations.contracts.payment import Order
from apps.integrations.outbound.errors import BadRequest
from apps.integrations.providers.errors import CredentialRefused, Missing, Refused, Unavailable
from apps.integrations.providers.webhooks import Delivery
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, NOW, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")

ORDER = Order(
    amount=Decimal("12.50"),
    currency="EUR",
    description="A chair & a table",
    success_url="https://example.com/yes",
    cancel_url="https://example.com/no",
    reference="order-7",
    customer_email="ada@example.com",
)


class TestStripe(Conformance):
    name = "stripe"
    credentials = {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dcwxyz"}
    asks = ("GET", "/balance")
    identity = "test mode"

    def test_a_checkout_is_asked_for_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("checkout"))
        with self.client() as client:
            checkout = client.create_checkout(ORDER, idempotency_key="order-7-1")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", "/v1/checkout/sessions")
        assert request.content_type == "application/x-www-form-urlencoded"
        assert request.headers["Idempotency-Key"] == "order-7-1"
        assert request.headers["Authorization"] == f"Bearer {self.credentials['secret_key']}"
        assert request.headers["Stripe-Version"] == "2024-06-20"
        assert request.form.to_dict() == {
            "mode": "payment",
            "success_url": "https://example.com/yes",
            "cancel_url": "https://example.com/no",
            "client_reference_id": "order-7",
            "metadata[reference]": "order-7",
            "payment_intent_data[metadata][reference]": "order-7",
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": "1250",
            "line_items[0][price_data][product_data][name]": "A chair & a table",
            "customer_email": "ada@example.com",
        }
        assert checkout.id == self.answer("checkout")["id"]
        assert checkout.url.startswith("https://checkout.stripe.com/c/pay/cs_test_")
        assert checkout.expires_at == datetime(2023, 3, 24, 19, 36, 55, tzinfo=UTC)

    def test_a_checkout_whose_answer_was_lost_is_asked_for_again_with_the_same_key(
        self, httpserver: HTTPServer
    ) -> None:
        self.script(httpserver, (500, {}), self.answer("checkout"))
        with self.client(attempts=2) as client:
            client.create_checkout(ORDER, idempotency_key="order-7-1")
        assert [request.headers["Idempotency-Key"] for request in self.asked(httpserver)] == ["order-7-1"] * 2

    @pytest.mark.parametrize(
        ("amount", "currency", "sent"),
        [
            ("12.50", "EUR", 1250),
            ("500", "JPY", 500),
            ("5", "UGX", 500),
            ("5", "ISK", 500),
            ("5.120", "KWD", 5120),
        ],
    )
    def test_amounts_are_counted_as_stripe_counts_the_currency(
        self, httpserver: HTTPServer, amount: str, currency: str, sent: int
    ) -> None:
        order = Order(**{**vars(ORDER), "amount": Decimal(amount), "currency": currency})
        told = {**self.answer("checkout"), "amount_total": sent, "currency": currency.lower()}
        self.script(httpserver, told, told)
        with self.client() as client:
            checkout = client.create_checkout(order, idempotency_key="1")
            assert client.get_payment(checkout.id).amount == Decimal(amount)
        assert self.asked(httpserver)[0].form["line_items[0][price_data][unit_amount]"] == str(sent)

    @pytest.mark.parametrize(("amount", "currency"), [("5.5", "ISK"), ("5.123", "KWD")])
    def test_an_amount_that_stripe_cannot_charge_is_not_rounded(
        self, httpserver: HTTPServer, amount: str, currency: str
    ) -> None:
        order = Order(**{**vars(ORDER), "amount": Decimal(amount), "currency": currency})
        with self.client() as client, pytest.raises(Refused, match=currency):
            client.create_checkout(order, idempotency_key="1")
        assert self.asked(httpserver) == []

    @pytest.mark.parametrize(
        ("changes", "state", "paid_at"),
        [
            ({}, "pending", None),
            ({"status": "expired"}, "cancelled", None),
            ({"status": "complete", "payment_intent": {"status": "processing"}}, "pending", None),
            ({"status": "complete", "payment_intent": {"status": "requires_payment_method"}}, "failed", None),
            (
                {
                    "status": "complete",
                    "payment_status": "paid",
                    "payment_intent": {"status": "succeeded", "latest_charge": {"created": 1679600300}},
                },
                "paid",
                datetime(2023, 3, 23, 19, 38, 20, tzinfo=UTC),
            ),
            (
                {
                    "status": "complete",
                    "payment_status": "paid",
                    "payment_intent": {"latest_charge": {"created": 1679600300, "refunded": True}},
                },
                "refunded",
                datetime(2023, 3, 23, 19, 38, 20, tzinfo=UTC),
            ),
        ],
    )
    def test_a_payment_stands_as_its_session_says(
        self, httpserver: HTTPServer, changes: dict[str, object], state: str, paid_at: datetime | None
    ) -> None:
        self.script(httpserver, {**self.answer("checkout"), **changes})
        with self.client() as client:
            payment = client.get_payment("cs_test_1")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("GET", "/v1/checkout/sessions/cs_test_1")
        assert request.args["expand[]"] == "payment_intent.latest_charge"
        assert (payment.state, payment.paid_at) == (state, paid_at)
        assert (payment.amount, payment.currency, payment.reference) == (Decimal("12.50"), "EUR", "order-7")

    def test_a_restricted_key_is_told_every_right_that_the_calls_need(self) -> None:
        """A payment is read with its intent and its charge: Stripe wants the right to each object it expands."""
        (told,) = (entry.help for entry in self.definition.credentials if entry.name == "secret_key")
        for right in ("Checkout Sessions: write", "PaymentIntents: read", "Charges: read", "Balance: read"):
            assert right in told

    def test_a_payment_that_is_not_there_is_missing(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (404, self.answer("missing")))
        with self.client() as client, pytest.raises(Missing, match="No such checkout"):
            client.get_payment("cs_test_nothing")

    def test_an_id_leads_nowhere_else(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (404, self.answer("missing")))
        with self.client() as client:
            with pytest.raises(BadRequest):
                client.get_payment("..")
            with pytest.raises(Missing):
                client.get_payment("../../balance?x=#y")
        (request,) = self.asked(httpserver)
        assert request.environ["REQUEST_URI"].startswith("/v1/checkout/sessions/..%2F..%2Fbalance%3Fx%3D%23y?")

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (401, "api_key_expired", CredentialRefused),
            (402, "card_declined", Refused),
            (409, "idempotency_key_in_use", Unavailable),
            (429, "lock_timeout", Unavailable),
        ],
    )
    def test_its_own_codes_are_understood(
        self, httpserver: HTTPServer, status: int, code: str, kind: type[Exception]
    ) -> None:
        self.script(httpserver, (status, {"error": {"code": code, "message": "No."}}))
        with self.client() as client, pytest.raises(kind):
            client.create_checkout(ORDER, idempotency_key="1")


class TestStripeWebhook(SignedWebhook):
    name = "stripe"
    credentials = {"webhook_secret": "whsec_test_secret"}
    secret = "webhook_secret"
    headers = ("stripe-signature",)
    body = b'{"id": "evt_1", "object": "event", "type": "checkout.session.completed", "created": 1795262400}'
    window = timedelta(minutes=5)

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        return self.by(body, at, credentials.get("webhook_secret", ""))

    def by(self, body: bytes, at: datetime, *secrets: str) -> Delivery:
        time = str(int(at.timestamp()))
        signatures = [hmac.new(secret.encode(), f"{time}.".encode() + body, "sha256").hexdigest() for secret in secrets]
        header = ",".join([f"t={time}", *(f"v1={signature}" for signature in signatures)])
        return Delivery("POST", ADDRESS, {"stripe-signature": header}, body)

    def test_the_verdict_takes_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hmac, "compare_digest", lambda a, b: False)
        assert self.refused(self.genuine())

    def test_the_event_is_as_stripe_tells_it(self) -> None:
        (event,) = self.receive(self.genuine()).events
        assert (event.id, event.kind) == ("evt_1", "checkout.session.completed")
        assert event.at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        assert event.payload["object"] == "event"

    def test_while_the_secret_is_replaced_either_signature_is_good(self) -> None:
        delivery = replace(self.by(self.body, NOW, "whsec_old", "whsec_test_secret"), received_at=NOW)
        assert self.receive(delivery).events[0].id == "evt_1"

    def test_a_signature_of_the_old_scheme_is_not_enough(self) -> None:
        header = self.genuine().headers["stripe-signature"].replace("v1=", "v0=")
        assert self.refused(replace(self.genuine(), headers={"stripe-signature": header}))
