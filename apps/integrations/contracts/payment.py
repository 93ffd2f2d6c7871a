"""Money: where to pay, and whether it was paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

PaymentState = Literal["pending", "paid", "failed", "cancelled", "refunded"]

# Currencies whose amounts have no or three decimals (ISO 4217); all others have two.
_DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def decimals_of(currency: str) -> int:
    """How many decimals amounts of the currency have."""
    return _DECIMALS.get(currency.upper(), 2)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be paid. ``amount`` in units of ``currency`` (12.50), never in cents; ``currency`` as in ISO 4217."""

    amount: Decimal
    currency: str
    description: str
    success_url: str
    cancel_url: str
    reference: str
    """Ours; comes back with the payment."""
    customer_email: str = ""

    @property
    def minor_units(self) -> int:
        """The amount in the currency's smallest unit. Raises ValueError for more decimals than it has."""
        scaled = self.amount.scaleb(decimals_of(self.currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{self.amount} has more decimals than {self.currency} allows.")
        return int(scaled)


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A page on which the customer pays. ``id`` is what ``get_payment`` asks for."""

    id: str
    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Payment:
    """How a payment stands."""

    id: str
    state: PaymentState
    amount: Decimal
    currency: str
    reference: str = ""
    paid_at: datetime | None = None


class Payments(Protocol):
    """What clients of the category offer."""

    def create_checkout(self, order: Order, *, idempotency_key: str) -> Checkout:
        """Make a page to pay on; the same key never makes two. Raises OutboundError."""

    def get_payment(self, payment_id: str) -> Payment:
        """How the payment of a check-out stands. Raises OutboundError; Missing when there is none."""
