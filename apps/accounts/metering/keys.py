"""API keys that have spent what they may in this month: refused at the door, whatever they ask for."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.metering.counters import current
from apps.accounts.metering.errors import CostLimitReached
from apps.accounts.metering.periods import end_of
from apps.accounts.models import Limit


def check_key(actor: Actor) -> None:
    """Raises CostLimitReached when ``cost_limit_per_month`` of the key is spent. In the account's scope.

    What is only reserved may still come back; work itself is let in or refused when it reserves. A key that has spent
    nothing reads, even with a limit of 0: it is refused when it would cost.
    """
    limit = Limit.objects.filter(api_key_id=actor.id, of_key=True).first()
    if limit is None:
        return
    counter = current([limit])[limit.id]
    if counter.used and counter.used >= limit.amount:
        raise CostLimitReached(
            limit.id,
            limit.scope,
            limit.measure,
            limit.unit,
            limit.period,
            counter.used,
            counter.reserved,
            limit.amount,
            Decimal(0),
            end_of(limit.period, timezone.now()),
        )
