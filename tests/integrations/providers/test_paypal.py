"""PayPal."""

from __future__ import annotations

import base64
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.payment import Order
from apps.integrations.outbound.breaker import close_all
from apps.integrations.outbound.errors import NoAnswer, OutboundError
from apps.integrations.providers import provider, traded
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    RateLimited,
    Refused,
    Unavailable,
)
from apps.integrations.providers.paypal import certificates
from apps.integrations.providers.paypal.webhook import receive
from apps.integrations.providers.webhooks import Delivery, NotGenuine
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, NOW, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")

ORDER = Order(
    amount=Decimal("12.50"),
    currency="EUR",
    description="A chair",
    success_url="https://example.com/yes",
    cancel_url="https://example.com/no",
    reference="order-7",
    customer_email="ada@example.com",
)

APPROVED = {
    "id": "5O190127TN364715T",
    "intent": "CAPTURE",
    "status": "APPROVED",
    "purchase_units": [{"custom_id": "order-7", "amount": {"currency_code": "EUR", "value": "12.50"}}],
    "create_time": "2026-11-21T10:00:00Z",
    "update_time": "2026-11-21T10:04:00Z",
}


@pytest.fixture(autouse=True)
def _no_tokens_of_the_test_before() -> None:
    traded.forget_all()
    certificates.forget_all()


class TestPayPal(Conformance):
    name = "paypal"
    credentials = {
        "client_id": "AeA1QIZXiflr1_-client",
        "client_secret": "ECYYrrSHdKfk_Q0EdvzdGkzj58a66kKaUQ5dZAEv4HvvtDId",
    }
    asks = ("POST", "/v1/oauth2/token")
    identity = "APP-80W284485P519543T (sandbox)"

    def test_the_credentials_are_traded_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("test"))
        with self.client() as client:
            client.test()
        (request,) = self.asked(httpserver)
        pair = base64.b64encode(f"{self.credentials['client_id']}:{self.credentials['client_secret']}".encode())
        assert request.headers["Authorization"] == f"Basic {pair.decode()}"
        assert request.form.to_dict() == {"grant_type": "client_credentials"}

    def test_a_checkout_is_asked_for_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("test"), self.answer("created"))
        with self.client() as client:
            checkout = client.create_checkout(ORDER, idempotency_key="order-7-1")
        _, request = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", "/v2/checkout/orders")
        assert request.headers["PayPal-Request-Id"] == "order-7-1"
        assert request.headers["Authorization"] == f"Bearer {self.answer('test')['access_token']}"
        assert request.get_json() == {
            "intent": "CAPTURE",
            "purchase_units": [
                {
                    "custom_id": "order-7",
                    "description": "A chair",
                    "amount": {"currency_code": "EUR", "value": "12.50"},
                }
            ],
            "payment_source": {
                "paypal": {
                    "experience_context": {
                        "return_url": "https://example.com/yes",
                        "cancel_url": "https://example.com/no",
                        "user_action": "PAY_NOW",
                        "shipping_preference": "NO_SHIPPING",
                    },
                    "email_address": "ada@example.com",
                }
            },
        }
        assert checkout.id == "5O190127TN364715T"
        assert checkout.url == "https://www.paypal.com/checkoutnow?token=5O190127TN364715T"

    def test_one_token_serves_many_calls_and_clients(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("test"), *[self.answer("created")] * 3)
        with self.client() as client:
            client.create_checkout(ORDER, idempotency_key="1")
            client.create_checkout(ORDER, idempotency_key="2")
        with self.client() as client:
            client.create_checkout(ORDER, idempotency_key="3")
        assert [request.path for request in self.asked(httpserver)].count("/v1/oauth2/token") == 1

    def test_another_credential_never_gets_the_token(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.script(httpserver, self.answer("test"), self.answer("created"), (401, self.answer("refused")))
        with self.client() as client:
            client.create_checkout(ORDER, idempotency_key="1")
        monkeypatch.setattr(type(self), "credentials", {**self.credentials, "client_secret": "another"})
        with self.client() as client, pytest.raises(CredentialRefused):
            client.create_checkout(ORDER, idempotency_key="1")

    def test_a_token_that_ended_early_is_traded_anew_once(self, httpserver: HTTPServer) -> None:
        ended = (401, {"error": "invalid_token", "error_description": "Token signature verification failed"})
        fresh = {**self.answer("test"), "access_token": "A-fresh-token"}
        self.script(httpserver, self.answer("test"), ended, fresh, self.answer("created"))
        with self.client() as client:
            assert client.create_checkout(ORDER, idempotency_key="1").id == "5O190127TN364715T"
        *_, last = self.asked(httpserver)
        assert last.headers["Authorization"] == "Bearer A-fresh-token"
        assert last.headers["PayPal-Request-Id"] == "1"

    @pytest.mark.parametrize(
        ("amount", "currency", "sent"), [("500", "JPY", "500"), ("5", "HUF", "5"), ("5.1", "USD", "5.10")]
    )
    def test_amounts_are_written_as_paypal_writes_the_currency(
        self, httpserver: HTTPServer, amount: str, currency: str, sent: str
    ) -> None:
        self.script(httpserver, self.answer("test"), self.answer("created"))
        with self.client() as client:
            client.create_checkout(replace(ORDER, amount=Decimal(amount), currency=currency), idempotency_key="1")
        unit = self.asked(httpserver)[1].get_json()["purchase_units"][0]
        assert unit["amount"] == {"currency_code": currency, "value": sent}

    def test_an_amount_that_paypal_cannot_charge_is_not_rounded(self, httpserver: HTTPServer) -> None:
        with self.client() as client, pytest.raises(Refused, match="HUF"):
            client.create_checkout(replace(ORDER, amount=Decimal("5.5"), currency="HUF"), idempotency_key="1")
        assert self.asked(httpserver) == []

    def test_what_the_customer_approved_is_captured_once_it_is_asked_for(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("test"), APPROVED, (201, self.answer("captured")))
        with self.client() as client:
            payment = client.get_payment("5O190127TN364715T")
        _, read, captured = self.asked(httpserver)
        assert (read.method, read.path) == ("GET", "/v2/checkout/orders/5O190127TN364715T")
        assert (captured.method, captured.path) == ("POST", "/v2/checkout/orders/5O190127TN364715T/capture")
        assert captured.headers["PayPal-Request-Id"] == "capture-5O190127TN364715T-2026-11-21T10:04:00Z"
        assert captured.get_json() == {}
        assert (payment.state, payment.amount, payment.currency) == ("paid", Decimal("12.50"), "EUR")
        assert payment.reference == "order-7"
        assert payment.paid_at == datetime(2026, 11, 21, 10, 5, tzinfo=UTC)

    def test_what_another_call_captured_meanwhile_is_paid(self, httpserver: HTTPServer) -> None:
        approved = {**self.answer("created"), "status": "APPROVED"}
        twice = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "ORDER_ALREADY_CAPTURED", "description": "x"}]}
        self.script(httpserver, self.answer("test"), approved, (422, twice), self.answer("captured"))
        with self.client() as client:
            assert client.get_payment("5O190127TN364715T").state == "paid"

    @pytest.mark.parametrize(
        ("issue", "state"),
        [("INSTRUMENT_DECLINED", "pending"), ("PAYER_ACTION_REQUIRED", "pending"), ("PAYER_CANNOT_PAY", "failed")],
    )
    def test_a_declined_payment_has_failed_only_when_the_customer_has_no_other_way(
        self, httpserver: HTTPServer, issue: str, state: str
    ) -> None:
        declined = self.answer("declined")
        declined["details"][0]["issue"] = issue
        self.script(httpserver, self.answer("test"), APPROVED, (422, declined))
        with self.client() as client:
            payment = client.get_payment("5O190127TN364715T")
        assert (payment.state, payment.paid_at) == (state, None)

    def test_a_second_approval_is_captured_after_a_first_was_declined(self, httpserver: HTTPServer) -> None:
        """PayPal answers a request id that it knows with what it answered before."""
        declined, again = (422, self.answer("declined")), {**APPROVED, "update_time": "2026-11-21T10:09:00Z"}
        scripted = (APPROVED, declined, APPROVED, declined, again, (201, self.answer("captured")))
        self.script(httpserver, self.answer("test"), *scripted)
        with self.client() as client:
            states = [client.get_payment("5O190127TN364715T").state for _ in range(3)]
        assert states == ["pending", "pending", "paid"]
        first, repeated, second = (
            request.headers["PayPal-Request-Id"]
            for request in self.asked(httpserver)
            if request.path.endswith("/capture")
        )
        assert first == repeated != second

    def test_an_order_without_a_time_is_captured_under_its_own_name(self, httpserver: HTTPServer) -> None:
        approved = {name: value for name, value in APPROVED.items() if name != "update_time"}
        self.script(httpserver, self.answer("test"), approved, (201, self.answer("captured")))
        with self.client() as client:
            client.get_payment("5O190127TN364715T")
        assert self.asked(httpserver)[-1].headers["PayPal-Request-Id"] == "capture-5O190127TN364715T"

    @pytest.mark.parametrize(
        ("order", "capture", "state"),
        [
            ("PAYER_ACTION_REQUIRED", "", "pending"),
            ("VOIDED", "", "cancelled"),
            ("COMPLETED", "PENDING", "pending"),
            ("COMPLETED", "REFUNDED", "refunded"),
            ("COMPLETED", "PARTIALLY_REFUNDED", "paid"),
            ("COMPLETED", "DECLINED", "failed"),
        ],
    )
    def test_a_payment_stands_as_its_order_and_capture_say(
        self, httpserver: HTTPServer, order: str, capture: str, state: str
    ) -> None:
        told = self.answer("captured") if capture else self.answer("created")
        told["status"] = order
        if capture:
            told["purchase_units"][0]["payments"]["captures"][0]["status"] = capture
        self.script(httpserver, self.answer("test"), told)
        with self.client() as client:
            assert client.get_payment("5O190127TN364715T").state == state
        assert all(request.method != "POST" for request in self.asked(httpserver)[1:]), "nothing may be captured"

    def test_a_payment_that_is_not_there_is_missing(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("test"), (404, self.answer("missing")))
        with self.client() as client, pytest.raises(Missing, match="does not exist"):
            client.get_payment("../../x?y")
        assert self.asked(httpserver)[1].environ["REQUEST_URI"] == "/v2/checkout/orders/..%2F..%2Fx%3Fy"

    @pytest.mark.parametrize(
        ("status", "issue", "kind"),
        [
            (403, "PERMISSION_DENIED", NotPermitted),
            (422, "PREVIOUS_REQUEST_IN_PROGRESS", Unavailable),
            (422, "CURRENCY_NOT_SUPPORTED", Refused),
        ],
    )
    def test_its_own_codes_are_understood(
        self, httpserver: HTTPServer, status: int, issue: str, kind: type[OutboundError]
    ) -> None:
        self.script(
            httpserver, self.answer("test"), (status, {"name": "X", "details": [{"issue": issue, "description": "no"}]})
        )
        with self.client() as client, pytest.raises(OutboundError) as error:
            client.create_checkout(ORDER, idempotency_key="1")
        assert type(error.value) is kind


@pytest.mark.parametrize(
    ("environment", "host"), [("live", "https://api-m.paypal.com"), ("sandbox", "https://api-m.sandbox.paypal.com")]
)
def test_money_moves_in_the_chosen_environment_only(environment: str, host: str, settings: Any) -> None:
    settings.PROVIDER_URLS = {}
    definition = provider("paypal")
    with definition.client_class(definition, TestPayPal.credentials, {"environment": environment}) as client:
        assert client.base_url() == host


@cache
def certificate(days: int = 365) -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(NOW - timedelta(days=365)).not_valid_after(NOW + timedelta(days=days))
    return key, built.sign(key, SHA256()).public_bytes(Encoding.PEM)


CERTIFICATE = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"


class TestPayPalWebhook(SignedWebhook):
    name = "paypal"
    credentials = {**TestPayPal.credentials, "webhook_id": "1JE4291016473214C"}
    secret = "webhook_id"
    keyed = False
    body = orjson.dumps(
        {
            "id": "WH-58D329510W468432D-8HN650336L201105X",
            "create_time": "2026-11-21T11:59:00.000Z",
            "resource_type": "checkout-order",
            "event_type": "CHECKOUT.ORDER.APPROVED",
            "resource": {"id": "5O190127TN364715T"},
        }
    )
    headers = (
        "paypal-transmission-sig",
        "paypal-transmission-id",
        "paypal-transmission-time",
        "paypal-auth-algo",
    )
    window = timedelta(days=4)

    @pytest.fixture(autouse=True)
    def _certificates(self, httpserver: HTTPServer, settings: Any) -> None:
        settings.PROVIDER_URLS = {"paypal": httpserver.url_for("/")}
        settings.OUTBOUND_ALLOW = ["localhost", "127.0.0.1"]
        httpserver.expect_request(CERTIFICATE.removeprefix("https://api.sandbox.paypal.com")).respond_with_data(
            certificate()[1], content_type="application/octet-stream"
        )

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"69cd13f0-d67a-11e5|{time}|{credentials.get('webhook_id', '')}|{zlib.crc32(body)}"
        signature = certificate()[0].sign(text.encode(), padding.PKCS1v15(), SHA256())
        headers = {
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-cert-url": CERTIFICATE,
            "paypal-transmission-id": "69cd13f0-d67a-11e5",
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-transmission-time": time,
        }
        return Delivery("POST", ADDRESS, headers, body)

    def test_the_event_is_as_paypal_tells_it(self) -> None:
        (event,) = self.receive(self.genuine()).events
        assert (event.id, event.kind) == ("WH-58D329510W468432D-8HN650336L201105X", "CHECKOUT.ORDER.APPROVED")
        assert event.at == datetime(2026, 11, 21, 11, 59, tzinfo=UTC)

    def test_a_certificate_is_fetched_once(self, httpserver: HTTPServer) -> None:
        for _ in range(3):
            self.receive(self.genuine())
        assert len(httpserver.log) == 1

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/../../../redirect?to=CERT-1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
            "https://api.paypal.com/v1/other/CERT-1",
            "https://API.paypal.com/v1/notifications/certs/CERT-1\n",
            "//api.paypal.com/v1/notifications/certs/CERT-1",
            "https://[::1]/v1/notifications/certs/CERT-1",
            "https://[api.paypal.com/v1/notifications/certs/CERT-1",
        ],
    )
    def test_a_certificate_from_elsewhere_is_not_even_fetched(self, httpserver: HTTPServer, url: str) -> None:
        delivery = self.genuine()
        assert self.refused(replace(delivery, headers={**delivery.headers, "paypal-cert-url": url}))
        assert httpserver.log == []

    def under(self, url: str) -> Delivery:
        """A delivery that names this certificate."""
        delivery = self.genuine()
        return replace(delivery, headers={**delivery.headers, "paypal-cert-url": url})

    @pytest.mark.parametrize(
        ("name", "status", "content"),
        [("CERT-none", 404, b""), ("CERT-odd", 400, b"{}"), ("CERT-moved", 302, b""), ("CERT-page", 200, b"<html>")],
    )
    def test_a_certificate_that_is_not_there_or_is_none_is_refused_and_not_asked_for_again(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, name: str, status: int, content: bytes
    ) -> None:
        httpserver.expect_request(f"/v1/notifications/certs/{name}").respond_with_data(content, status=status)
        delivery = self.under(f"https://api.sandbox.paypal.com/v1/notifications/certs/{name}")
        for _ in range(3):
            assert self.refused(delivery)
        assert len(httpserver.log) == 1
        assert not self.refused(self.genuine()), "other certificates are asked for"
        monkeypatch.setattr(certificates, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600))
        assert self.refused(delivery)
        assert len(httpserver.log) == 3, "after a while it is asked for again"

    @pytest.mark.parametrize(
        ("environment", "host", "taken"),
        [
            ("live", "api.paypal.com", True),
            ("live", "api-m.paypal.com", True),
            ("live", "api.sandbox.paypal.com", False),
            ("live", "api-m.sandbox.paypal.com", False),
            ("sandbox", "api-m.sandbox.paypal.com", True),
            ("sandbox", "api.paypal.com", False),
            ("sandbox", "api-m.paypal.com", False),
        ],
    )
    def test_the_certificates_of_one_environment_are_worth_nothing_in_the_other(
        self, httpserver: HTTPServer, environment: str, host: str, taken: bool
    ) -> None:
        """Not even when the process knows them: a sandbox is open to everybody, and live events mean money."""
        own, other = {"environment": environment}, {"live": "sandbox", "sandbox": "live"}[environment]
        delivery = self.under(CERTIFICATE.replace("api.sandbox.paypal.com", host))
        if not taken:
            assert receive(delivery, self.credentials, {"environment": other}).events
            httpserver.clear_log()
            with pytest.raises(NotGenuine, match="environment"):
                receive(delivery, self.credentials, own)
            assert httpserver.log == []
        else:
            assert receive(delivery, self.credentials, own).events

    def test_a_delivery_that_is_too_old_asks_for_no_certificate(self, httpserver: HTTPServer) -> None:
        assert self.refused(self.genuine(at=NOW - timedelta(days=30)))
        assert httpserver.log == []

    def test_a_certificate_that_has_run_out_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.receive(self.genuine())
        late = NOW + timedelta(days=366)
        assert self.refused(replace(self.signed(self.body, self.credentials, late), received_at=late))

    @pytest.mark.parametrize(("status", "kind"), [(503, Unavailable), (429, RateLimited), (403, NotPermitted)])
    def test_when_paypal_does_not_give_it_now_it_is_not_called_a_forgery(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, status: int, kind: type[OutboundError]
    ) -> None:
        """It is asked once for all deliveries of a while, and then again."""
        close_all()
        self.answers(httpserver, lambda _: Response(status=status, headers={"Retry-After": "1"}))
        for _ in range(3):
            with pytest.raises(kind):
                self.receive(self.genuine())
        assert len(httpserver.log) == 1
        self.answers(httpserver, lambda _: Response(certificate()[1]))
        with pytest.raises(kind):
            self.receive(self.genuine())
        monkeypatch.setattr(certificates, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600))
        assert self.receive(self.genuine()).events

    def test_paypal_has_a_short_time_to_give_it(self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
        close_all()
        monkeypatch.setattr(certificates, "_SECONDS", 0.2)
        over = threading.Event()
        self.answers(httpserver, lambda _: over.wait(60) and Response(certificate()[1]))
        began = time.monotonic()
        with pytest.raises(NoAnswer):
            self.receive(self.genuine())
        over.set()
        assert time.monotonic() - began < 30

    def answers(self, httpserver: HTTPServer, answer: Any) -> None:
        httpserver.clear()
        path = CERTIFICATE.removeprefix("https://api.sandbox.paypal.com")
        httpserver.expect_request(path).respond_with_handler(answer)
