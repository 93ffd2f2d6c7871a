"""How the API answers work that a limit refuses."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from apps.accounts.api.problems import Problem, declare_made
from apps.accounts.metering.errors import CostLimitReached, LimitReached, PriceUnknown, QuantityLimitReached


def _problem(error: LimitReached) -> Problem:
    is_cost = isinstance(error, CostLimitReached)
    headers = {}
    wait = error.seconds_left(timezone.now())
    if not is_cost and wait is not None:
        headers["Retry-After"] = str(wait)
    members = {
        "limit": {
            "id": str(error.limit),
            "scope": error.scope,
            "measure": error.measure,
            "unit": error.unit,
            "period": error.period,
            "amount": f"{error.amount.normalize():f}",
            **({"currency": settings.CURRENCY} if is_cost else {}),
        },
        "used": f"{error.used.normalize():f}",
        "reserved": f"{error.reserved.normalize():f}",
        "resets_at": error.resets_at.isoformat().replace("+00:00", "Z") if error.resets_at else None,
    }
    status, code = (402, "cost_limit_reached") if is_cost else (429, "limit_reached")
    return Problem(status, code, str(error), headers=headers, members=members)


def _unknown(error: PriceUnknown) -> Problem:
    members = {"limit": {"id": str(error.limit)}, "unit": error.unit, "item": error.item}
    return Problem(402, "price_unknown", str(error), members=members)


def declare_all() -> None:
    """At start-up."""
    declare_made(CostLimitReached, "cost_limit_reached", _problem, title="A limit of cost is reached")
    declare_made(QuantityLimitReached, "limit_reached", _problem, title="A limit is reached")
    declare_made(PriceUnknown, "price_unknown", _unknown, title="The price is not known, and cost is limited")
