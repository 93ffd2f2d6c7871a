"""Telling people that a limit comes near: at 80, 90 and 100 per cent, once per limit and period."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.jobs.enqueue import enqueue
from apps.accounts.models import Counter, Limit, LimitAlert

STEPS = (100, 90, 80)
KIND = "limit.alert_mail"


def step_of(used: Decimal, amount: Decimal) -> int:
    """The highest step that ``used`` has come to; 0 below all. A limit of nothing is used up by anything."""
    if not amount:
        return 100 if used else 0
    return next((step for step in STEPS if used * 100 >= amount * step), 0)


def watch(limit: Limit, counter_id: UUID) -> None:
    """After a counter went up, in the same transaction: write the alert, and put its mail in line.

    When it jumps over a step only the highest is told. The row is locked by whoever counted, so it is told once.
    """
    counter = Counter.objects.filter(pk=counter_id).first()
    if counter is None:
        return
    step = step_of(counter.used, limit.amount)
    if step <= counter.alerted:
        return
    Counter.objects.filter(pk=counter_id).update(alerted=step)
    alert, made = LimitAlert.objects.get_or_create(
        limit=limit,
        period_start=counter.period_start,
        percent=step,
        defaults={"used": counter.used, "amount": limit.amount},
    )
    if made:
        # The trail is written by the job: its end is locked by requests that may be waiting for this transaction.
        enqueue(KIND, actor=Actor.system("metering"), payload={"alert": str(alert.id)})
