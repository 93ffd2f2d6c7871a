"""The ledger: whatever costs is reserved before it is done and settled after it. docs/metering.md tells how.

The common case, in the scope of an account::

    from apps.accounts.metering import Line, metered

    with metered("integrations", Line("calls", 1, "stripe"), subject=connection.id, actor=actor) as use:
        answer = client.charge(…)
        use.add("calls", 1, "stripe")  # only when what was used differs from what was expected

``LimitReached`` and ``PriceUnknown`` come before anything is done, and are answered by every door.
"""

from apps.accounts.metering.context import Use, metered
from apps.accounts.metering.errors import (
    CostLimitReached,
    LedgerBusy,
    LimitReached,
    PriceUnknown,
    QuantityLimitReached,
    UnknownReservation,
)
from apps.accounts.metering.lines import Line, caused_by
from apps.accounts.metering.names import declare_item, declare_source
from apps.accounts.metering.prices import declare_price
from apps.accounts.metering.reserving import reserve
from apps.accounts.metering.settling import Settled, release, settle

__all__ = [
    "CostLimitReached",
    "LedgerBusy",
    "LimitReached",
    "Line",
    "PriceUnknown",
    "QuantityLimitReached",
    "Settled",
    "UnknownReservation",
    "Use",
    "caused_by",
    "declare_item",
    "declare_price",
    "declare_source",
    "metered",
    "release",
    "reserve",
    "settle",
]
