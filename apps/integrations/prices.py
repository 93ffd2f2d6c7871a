"""What services publish as their prices, for the price book."""

from __future__ import annotations

from apps.accounts.metering import declare_item, declare_price
from apps.integrations.providers import providers


def declare_all() -> None:
    """Declare the list prices of all definitions, and what they are for in words.

    Raises ValueError on two prices of one item and day.
    """
    for provider in providers().values():
        declare_item(provider.name, provider.label, dict(provider.products))
        for price in provider.prices:
            item = f"{provider.name}/{price.product or '*'}"
            declare_price(price.unit, item, price.amount, price.per, price.starts_on)
