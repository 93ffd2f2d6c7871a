"""Calls to PayPal: client credentials traded for a token, Orders version 2."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Unpack

import orjson

from apps.integrations.contracts.payment import Checkout, Order, Payment
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.http import Answer, Parts
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotPermitted,
    ProviderError,
    Refused,
    Unavailable,
)
from apps.integrations.providers.escaping import segment
from apps.integrations.providers.oauth import Access
from apps.integrations.providers.paypal.definition import LIVE, SANDBOX
from apps.integrations.providers.paypal.orders import order_body, payment_of
from apps.integrations.providers.traded import Traded

_KINDS: dict[str, type[ProviderError]] = {
    "invalid_client": CredentialRefused,
    "INVALID_TOKEN": CredentialRefused,
    "AUTHENTICATION_FAILURE": CredentialRefused,
    "PERMISSION_DENIED": NotPermitted,
    "PREVIOUS_REQUEST_IN_PROGRESS": Unavailable,
}


class AlreadyCaptured(Refused):
    """Another call was quicker to take the money."""


class Declined(Refused):
    """The customer's bank or card said no, or wants a word with the customer, who can choose another."""

    code = "declined"


class CannotPay(Refused):
    """The customer can't pay this order, by no means."""

    code = "cannot_pay"


class Client(ProviderClient):
    """PayPal with an application's credentials."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._source = Traded(self._trade, "paypal", self.base_url(), credentials=self.credentials)

    def own_url(self) -> str:
        return LIVE if self.settings["environment"] == "live" else SANDBOX

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._access.token}"} if self._access is not None else {}

    def call(self, method: str, path: str, *, repeatable: bool, **parts: Unpack[Parts]) -> Answer:
        """As of any client; the token is fetched when it is first needed."""
        if self._access is None:
            self.access_token()
            self.http.close()
            self.http = self._open()
        return super().call(method, path, repeatable=repeatable, **parts)

    def test(self) -> Tested:
        """Trade the credentials for a token: that costs nothing, and is what every call begins with."""
        access, _ = self._trade()
        mode = str(self.settings["environment"])
        app = access.facts.get("app_id", "")
        return Tested(identity=f"{app} ({mode})" if app else mode, facts={"environment": mode})

    def _trade(self) -> tuple[Access, float]:
        pair = f"{self.credentials['client_id']}:{self.credentials['client_secret']}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        with self.elsewhere(self.own_url(), headers) as http:
            answer = http.call("POST", "v1/oauth2/token", data={"grant_type": "client_credentials"}, repeatable=True)
        try:
            told = orjson.loads(answer.content)
            return Access(told["access_token"], {"app_id": str(told.get("app_id", ""))}), float(told["expires_in"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise BadAnswer.about("PayPal", "the answer holds no access token") from None

    def create_checkout(self, order: Order, *, idempotency_key: str) -> Checkout:
        """An order that the customer approves at PayPal (Create order). PayPal keeps request ids for six hours.

        Raises OutboundError; Refused for an amount that PayPal can't express.
        """
        headers = {"PayPal-Request-Id": idempotency_key, "Prefer": "return=representation"}
        made = self.ask_for("POST", "v2/checkout/orders", json=order_body(order), headers=headers, repeatable=True)
        links = {link.get("rel"): link.get("href") for link in made.get("links") or []}
        url = links.get("payer-action") or links.get("approve")
        if not url:
            raise BadAnswer.about("PayPal", "the answer names no page to pay on")
        return Checkout(id=str(made["id"]), url=str(url))

    def get_payment(self, payment_id: str) -> Payment:
        """How the order stands; one that the customer has approved is captured first.

        PayPal moves no money by approval alone, and forgets an approval after three hours: somebody has to ask for
        the payment in that time, best when the event CHECKOUT.ORDER.APPROVED arrives. Capturing twice takes the money
        once: the request id is made from the order's and its approval. What was declined is pending: the customer can
        approve another source. Raises OutboundError; Missing when there is no such order.
        """
        path = f"v2/checkout/orders/{segment(payment_id)}"
        order = self.ask_for("GET", path)
        if order.get("status") == "APPROVED" and order.get("intent") == "CAPTURE":
            try:
                order = self._captured(path, order)
            except AlreadyCaptured:
                order = self.ask_for("GET", path)
            except Declined:
                return payment_of(order, state="pending")
            except CannotPay:
                return payment_of(order, state="failed")
        return payment_of(order)

    def _captured(self, path: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """PayPal answers a request id it knows as it did before: a second approval needs one of its own."""
        name = "-".join(str(part) for part in ("capture", order["id"], order.get("update_time")) if part)
        headers = {"PayPal-Request-Id": name[:108], "Prefer": "return=representation"}
        return self.ask_for("POST", f"{path}/capture", json={}, headers=headers, repeatable=True)

    def read_error(self, body: Any) -> tuple[str, str]:
        """``{"name", "message", "details": [{"issue", "description"}]}``, or OAuth's own when trading."""
        if not isinstance(body, dict) or "error" in body:
            return super().read_error(body)
        details = [detail for detail in body.get("details") or [] if isinstance(detail, dict)]
        if not details:
            return str(body.get("name") or ""), str(body.get("message") or "")
        first: Mapping[str, Any] = details[0]
        return str(first.get("issue") or body.get("name") or ""), str(first.get("description") or body.get("message"))

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        if code == "ORDER_ALREADY_CAPTURED":
            return AlreadyCaptured
        if code in {"INSTRUMENT_DECLINED", "PAYER_ACTION_REQUIRED"}:
            return Declined
        if code == "PAYER_CANNOT_PAY":
            return CannotPay
        return _KINDS.get(code) or super().kind_of(status, code)
