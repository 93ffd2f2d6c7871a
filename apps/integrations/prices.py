"""What services publish as their prices, for the price book."""

from __future__ import annotations

from apps.accounts.metering import declare_price
from apps.integrations.providers import providers


def declare_all() -> None:
    """Declare the list prices of all definitions. Raises ValueError on two prices of one item and day."""
    for provider in providers().values():
        for price in provider.prices:
            item = f"{provider.name}/{price.product or '*'}"
            declare_price(price.unit, item, price.amount, price.per, price.starts_on)
