"""What the tests of the ledger share."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.accounts.actors import Actor
from apps.accounts.metering import Line, reserve, settle
from apps.accounts.metering.limits import set_limit
from apps.accounts.metering.prices import set_price
from apps.accounts.models import Account, Limit
from apps.accounts.tenancy.scope import tenant

OPERATOR = Actor.system("tests")
CALL = Line("calls", 1, "stripe")


def price(
    unit: str, item: str, amount: str, starts_at: datetime = datetime(2026, 1, 1, tzinfo=UTC), per: int = 1
) -> None:
    """The operator's price."""
    set_price(actor=OPERATOR, unit=unit, item=item, amount=Decimal(amount), starts_at=starts_at, per=Decimal(per))


def limit(account: Account, amount: Any, **more: Any) -> Limit:
    """The operator's limit of calls an hour, unless said otherwise."""
    if more.get("measure") != "cost":
        more = {"measure": "quantity", "unit": "calls", "period": "hour", **more}
    with tenant(account):
        return set_limit(**{"actor": OPERATOR, "amount": Decimal(str(amount)), **more})


def use(account: Account, *lines: Line, source: str = "chat", ok: bool = True, ms: int = 100, **more: Any) -> None:
    """Something that was used."""
    settle(reserve(source, account=account, **more), *(lines or (CALL,)), ok=ok, duration_ms=ms)
