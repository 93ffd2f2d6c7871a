"""Orders as PayPal writes them (developer.paypal.com/docs/api/orders/v2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.integrations.contracts.payment import Order, Payment, PaymentState, decimals_of
from apps.integrations.providers.errors import Refused

_WHOLE = {"HUF", "JPY", "TWD"}
"""Currencies in which PayPal takes no decimals (developer.paypal.com/reference/currency-codes)."""
_ORDERS: dict[str, PaymentState] = {
    "CREATED": "pending",
    "SAVED": "pending",
    "PAYER_ACTION_REQUIRED": "pending",
    "APPROVED": "pending",
    "VOIDED": "cancelled",
}
_CAPTURES: dict[str, PaymentState] = {
    "COMPLETED": "paid",
    "PARTIALLY_REFUNDED": "paid",
    "REFUNDED": "refunded",
    "DECLINED": "failed",
    "FAILED": "failed",
    "PENDING": "pending",
}


def order_body(order: Order) -> dict[str, Any]:
    """The body of Create order. Raises Refused for an amount that can't be charged in this currency."""
    currency = order.currency.upper()
    unit = {
        "custom_id": order.reference[:127],
        "description": order.description[:127],
        "amount": {"currency_code": currency, "value": _value(order.amount, currency)},
    }
    paypal: dict[str, Any] = {
        "experience_context": {
            "return_url": order.success_url,
            "cancel_url": order.cancel_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        }
    }
    if order.customer_email:
        paypal["email_address"] = order.customer_email
    return {
        "intent": "CAPTURE",
        "purchase_units": [{name: value for name, value in unit.items() if value}],
        "payment_source": {"paypal": paypal},
    }


def payment_of(order: Mapping[str, Any], *, state: PaymentState | None = None) -> Payment:
    """How an order stands, by its newest capture if there is one."""
    units = order.get("purchase_units") or [{}]
    unit: Mapping[str, Any] = units[0]
    amount: Mapping[str, Any] = unit.get("amount") or {}
    captures = (unit.get("payments") or {}).get("captures") or []
    capture: Mapping[str, Any] = captures[-1] if captures else {}
    amount = amount or capture.get("amount") or {}
    found = state or _CAPTURES.get(capture.get("status", "")) or _ORDERS.get(str(order.get("status")), "pending")
    return Payment(
        id=str(order["id"]),
        state=found,
        amount=Decimal(str(amount.get("value") or "0")),
        currency=str(amount.get("currency_code") or ""),
        reference=str(unit.get("custom_id") or capture.get("custom_id") or ""),
        paid_at=_time(capture.get("create_time")) if found in {"paid", "refunded"} else None,
    )


def _value(amount: Decimal, currency: str) -> str:
    decimals = 0 if currency in _WHOLE else decimals_of(currency)
    if amount != round(amount, decimals):
        raise Refused(f"PayPal: amounts in {currency} have at most {decimals} decimals.")
    return f"{amount:.{decimals}f}"


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
