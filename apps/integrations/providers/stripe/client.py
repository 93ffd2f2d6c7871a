"""Calls to Stripe: form-encoded requests, JSON answers."""

from __future__ import annotations

from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import ProviderError, QuotaUsedUp


class Client(ProviderClient):
    """Stripe with one secret key."""

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials['secret_key']}"}

    def test(self) -> Tested:
        """The balance: every key may read it, and reading it costs nothing."""
        balance = self.ask_for("GET", "balance")
        mode = "live" if balance.get("livemode") else "test"
        return Tested(identity=f"{mode} mode", facts={"mode": mode})

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return QuotaUsedUp if code == "balance_insufficient" else super().kind_of(status, code)
