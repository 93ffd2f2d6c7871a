"""Why work is refused before it begins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError

from apps.accounts.metering.lines import unit_for
from apps.accounts.metering.names import item_label


@dataclass(eq=False)
class LimitReached(Exception):
    """Work that does not fit a hard limit; nothing was done. ``str`` says it in words.

    ``used``, ``reserved``, ``amount`` and ``asked`` are in the currency, or in ``unit``. ``resets_at`` None: never.
    ``about`` is the part of the product a limit of one part is about, as people call it.
    """

    limit: UUID
    scope: str
    measure: str
    unit: str
    period: str
    used: Decimal
    reserved: Decimal
    amount: Decimal
    asked: Decimal
    resets_at: datetime | None
    about: str = ""

    def __post_init__(self) -> None:
        super().__init__(str(self))

    def __reduce__(self) -> Any:
        return type(self), tuple(getattr(self, name) for name in self.__dataclass_fields__)

    def __str__(self) -> str:
        whose = {
            "account": "this account",
            "member": "this member",
            "api_key": "this API key",
            "source": self.about or "this part of the account",
        }.get(self.scope, self.scope)
        per = {"total": "in all"}.get(self.period, f"a {self.period}")
        if self.period == "hour":
            per = "an hour"
        words = f"The limit of {whose} is reached: {self._shown(self.amount)} {per}, {self._shown(self.used)} used"
        if self.reserved:
            words += f" and {self._shown(self.reserved)} reserved by work that is going on"
        if self.resets_at is None:
            return f"{words}. It does not reset: ask an admin to raise it."
        return f"{words}. It resets on {self.resets_at.astimezone(UTC):%-d %B %Y at %H:%M} UTC."

    def _shown(self, value: Decimal) -> str:
        number = f"{value.normalize():f}"
        return f"{number} {settings.CURRENCY}" if self.measure == "cost" else f"{number} {unit_for(self.unit, value)}"

    def seconds_left(self, now: datetime) -> int | None:
        """Whole seconds until it resets, at least one; None when it never does."""
        return None if self.resets_at is None else max(1, math.ceil((self.resets_at - now).total_seconds()))


class CostLimitReached(LimitReached):
    """It is money that is used up: 402."""


class QuantityLimitReached(LimitReached):
    """It is a quantity that is used up: 429."""


@dataclass(eq=False)
class PriceUnknown(Exception):
    """A hard limit of cost can't hold for work whose price nobody knows; nothing was done."""

    limit: UUID
    unit: str
    item: str

    def __str__(self) -> str:
        what = self.unit.replace("_", " ") + (f" of {item_label(self.item)}" if self.item else "")
        return (
            f"Nobody has said what {what} cost, so a limit of cost can't hold for it. Ask the operator for its price, "
            "or let work without a price pass in that limit."
        )


class UnknownReservation(LookupError):
    """There is no such reservation, and nothing was counted for it."""


class LedgerBusy(OperationalError):
    """Somebody else holds a part of the ledger for too long. Nothing was reserved or counted; trying again is safe."""
