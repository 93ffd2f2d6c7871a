"""Check-out pages, and what was paid."""

from __future__ import annotations

import re

from apps.accounts.actors import Actor
from apps.integrations.contracts.payment import Checkout, Order, Payment
from apps.integrations.services.arguments import email_address, web_address, wrong
from apps.integrations.services.calling import calling


def create_checkout(order: Order, *, idempotency_key: str, actor: Actor, provider: str | None = None) -> Checkout:
    """A page to pay on; the same key never makes two. Raises ValidationError, PermissionDenied, OutboundError."""
    _check(order)
    if not re.fullmatch(r"[\x21-\x7e]{1,100}", idempotency_key):
        raise wrong("idempotency_key", "Use 1 to 100 visible ASCII characters.", "pattern")
    with calling("payment.create_checkout", actor=actor, provider=provider) as call:
        checkout: Checkout = call.client.create_checkout(order, idempotency_key=idempotency_key)
    call.sent_personal_data("amount", "reference", *(["email"] if order.customer_email else []))
    return checkout


def get_payment(payment_id: str, *, actor: Actor, provider: str | None = None) -> Payment:
    """How a payment stands. Raises ValidationError, PermissionDenied, OutboundError; Missing when there is none."""
    if not payment_id.strip():
        raise wrong("payment_id", "Name the payment.", "required")
    with calling("payment.get_payment", actor=actor, provider=provider) as call:
        payment: Payment = call.client.get_payment(payment_id)
    return payment


def _check(order: Order) -> None:
    if not order.amount.is_finite() or order.amount <= 0:
        raise wrong("amount", "Must be more than 0.", "min_value")
    if not re.fullmatch(r"[A-Za-z]{3}", order.currency):
        raise wrong("currency", "A currency is three letters (ISO 4217).", "pattern")
    try:
        _ = order.minor_units
    except ValueError as error:
        raise wrong("amount", str(error), "decimals") from None
    web_address(order.success_url, "success_url")
    web_address(order.cancel_url, "cancel_url")
    if order.customer_email:
        email_address(order.customer_email, "customer_email")
