"""Calls to Stripe: form-encoded requests, JSON answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apps.integrations.contracts.payment import Checkout, Order, Payment, PaymentState
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import CredentialRefused, ProviderError, QuotaUsedUp, Refused, Unavailable
from apps.integrations.providers.escaping import segment
from apps.integrations.providers.stripe.amounts import from_stripe, to_stripe

VERSION = "2024-06-20"
"""The version of the API that these calls are written for; without it the account's own counts."""
_KINDS: dict[str, type[ProviderError]] = {
    "api_key_expired": CredentialRefused,
    "balance_insufficient": QuotaUsedUp,
    "idempotency_key_in_use": Unavailable,
    "lock_timeout": Unavailable,
}


class Client(ProviderClient):
    """Stripe with one secret key."""

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials['secret_key']}", "Stripe-Version": VERSION}

    def test(self) -> Tested:
        """The balance: reading it costs nothing."""
        balance = self.ask_for("GET", "balance", holds="livemode")
        mode = "live" if balance["livemode"] else "test"
        return Tested(identity=f"{mode} mode", facts={"mode": mode})

    def create_checkout(self, order: Order, *, idempotency_key: str) -> Checkout:
        """A Checkout Session (docs.stripe.com/api/checkout/sessions/create). Stripe keeps keys for 24 hours at least.

        Raises OutboundError; Refused for an amount that Stripe can't express.
        """
        form = {
            "mode": "payment",
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
            "client_reference_id": order.reference,
            "metadata[reference]": order.reference,
            "payment_intent_data[metadata][reference]": order.reference,
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": order.currency.lower(),
            "line_items[0][price_data][unit_amount]": str(to_stripe(order)),
            "line_items[0][price_data][product_data][name]": order.description,
            "customer_email": order.customer_email,
        }
        session = self.ask_for(
            "POST",
            "checkout/sessions",
            data={name: value for name, value in form.items() if value},
            headers={"Idempotency-Key": idempotency_key},
            repeatable=True,
        )
        return Checkout(id=session["id"], url=session["url"], expires_at=_time(session.get("expires_at")))

    def get_payment(self, payment_id: str) -> Payment:
        """The Checkout Session with what became of its payment. Raises OutboundError; Missing when there is none."""
        session = self.ask_for(
            "GET",
            f"checkout/sessions/{segment(payment_id)}",
            params={"expand[]": "payment_intent.latest_charge"},
        )
        intent: Mapping[str, Any] = session.get("payment_intent") or {}
        charge: Mapping[str, Any] = intent.get("latest_charge") or {}
        currency = str(session.get("currency") or "").upper()
        state = _state(session, intent, charge)
        return Payment(
            id=session["id"],
            state=state,
            amount=from_stripe(session.get("amount_total") or 0, currency),
            currency=currency,
            reference=str(session.get("client_reference_id") or ""),
            paid_at=_time(charge.get("created")) if state in {"paid", "refunded"} else None,
        )

    def read_error(self, body: Any) -> tuple[str, str]:
        code, words = super().read_error(body)
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict) and error.get("param"):
            words = f"{words} ({error['param']})"
        return code, words

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        # 402 is "the parameters were valid, but the request failed", not an unpaid bill.
        return _KINDS.get(code) or (Refused if status == 402 else super().kind_of(status, code))


def _state(session: Mapping[str, Any], intent: Mapping[str, Any], charge: Mapping[str, Any]) -> PaymentState:
    if charge.get("refunded"):
        return "refunded"
    if session.get("payment_status") in {"paid", "no_payment_required"}:
        return "paid"
    if session.get("status") == "expired":
        return "cancelled"
    if session.get("status") == "complete" and intent.get("status") in {"requires_payment_method", "canceled"}:
        return "failed"  # a bank debit that bounced days after the check-out
    return "pending"


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
