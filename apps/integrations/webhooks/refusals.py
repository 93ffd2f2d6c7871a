"""Counting deliveries and refusals, and telling the account of refusals without flooding its trail."""

from __future__ import annotations

import hashlib
import logging
import time
from uuid import UUID

from django.core.cache import cache
from kombu.exceptions import OperationalError

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.integrations.models import Integration

logger = logging.getLogger(__name__)

DELIVERIES = 1200
"""Of one address in a minute, genuine or not."""
REFUSALS = 60
"""Of one address and one caller in a minute. Not of a caller alone: a service sends for many accounts from one host."""
_MINUTE, _HOUR = 60, 3600


def wait_for(integration_id: UUID, caller: str) -> int:
    """Count a delivery; seconds to wait when there were too many, else 0. It does not ask for the connection."""
    refused = int(cache.get(_name("refused", integration_id, caller)) or 0)
    if _count(_name("delivered", integration_id)) > DELIVERIES or refused >= REFUSALS:
        return _MINUTE - int(time.time()) % _MINUTE
    return 0


def count(integration_id: UUID, caller: str) -> None:
    """Count a refusal."""
    _count(_name("refused", integration_id, caller))


def note_refusal(account_id: UUID, integration_id: UUID, reason: str) -> None:
    """Have the first refusal of an hour written into the account's trail, by a worker: the answer does not wait."""
    from apps.integrations.tasks import record_refused_delivery

    if not cache.add(f"hook-refusal-told:{integration_id}:{int(time.time()) // _HOUR}", 1, _HOUR):
        return
    try:
        record_refused_delivery.delay(str(account_id), str(integration_id), reason)
    except (OperationalError, OSError) as error:
        logger.warning("A refused delivery for %s is not in the trail: %s", integration_id, error)


def record(integration_id: UUID, reason: str) -> None:
    """Write a refusal into the trail of the account in scope."""
    row = Integration.objects.filter(pk=integration_id).first()
    if row is not None:
        audit.record(
            "integration.delivery_refused",
            actor=Actor.anonymous("somebody"),
            entity=row,
            label=row.label,
            changes={"reason": reason},
        )


def _name(what: str, integration_id: UUID, caller: str = "") -> str:
    place = hashlib.sha256(caller.encode()).hexdigest()[:16] if caller else ""
    return f"hook-{what}:{integration_id}:{place}:{int(time.time()) // _MINUTE}"


def _count(name: str) -> int:
    cache.add(name, 0, 2 * _MINUTE)
    return int(cache.incr(name))
