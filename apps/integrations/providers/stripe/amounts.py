"""Amounts as Stripe counts them (docs.stripe.com/currencies): in the smallest unit, with its special cases."""

from __future__ import annotations

from decimal import Decimal

from apps.integrations.contracts.payment import Order, decimals_of
from apps.integrations.providers.errors import Refused

_TWO_DECIMALS = {"ISK", "UGX"}
"""Have none any more, and are still written with two."""


def to_stripe(order: Order) -> int:
    """The number to send. Raises Refused for an amount that can't be charged in this currency."""
    currency = order.currency.upper()
    amount = order.minor_units
    if currency in _TWO_DECIMALS:
        if order.amount != order.amount.to_integral_value():
            raise Refused(f"Stripe: amounts in {currency} must be whole.")
        return int(order.amount) * 100
    if decimals_of(currency) == 3 and amount % 10:
        raise Refused(f"Stripe: the third decimal of an amount in {currency} must be 0.")
    return amount


def from_stripe(amount: int, currency: str) -> Decimal:
    """The amount in units of the currency."""
    decimals = 2 if currency.upper() in _TWO_DECIMALS else decimals_of(currency)
    return Decimal(amount).scaleb(-decimals)
