"""What was used, what it cost, and what is being used right now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

from apps.accounts.tenancy.models import TenantModel

QUANTITY: dict[str, Any] = {"max_digits": 24, "decimal_places": 6}
MONEY: dict[str, Any] = {"max_digits": 24, "decimal_places": 10}
UNIT_PRICE: dict[str, Any] = {"max_digits": 24, "decimal_places": 15}


class Attributed(TenantModel):
    """For whom and for what something was used. Plain ids: the ledger outlives what it names.

    ``source`` names the part of the product ("integrations") and ``subject`` the one thing in it (a connection's id).
    ``cause`` and ``cause_subject`` say, when that was done on behalf of another part, of which ("workflows" and the
    workflow's id). ``user_id`` is the person, also when their API key acted.
    """

    source = models.CharField(max_length=40)
    subject = models.UUIDField(null=True, blank=True)
    cause = models.CharField(max_length=40, blank=True)
    cause_subject = models.UUIDField(null=True, blank=True)
    user_id = models.UUIDField(null=True, blank=True)
    api_key_id = models.UUIDField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = True


class Reservation(Attributed):
    """Room taken in every limit before the work. ``lines`` holds what was expected, ``holds`` what was taken where.

    ``holds`` is ``[[limit id, counter id, amount], …]``.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SETTLED = "settled", "Settled"
        RELEASED = "released", "Released"
        EXPIRED = "expired", "Expired"

    at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    lines = models.JSONField(default=list)
    holds = models.JSONField(default=list)
    idempotency_key = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="reservation_once",
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=models.Q(state="open"), name="reservation_open"),
            models.Index(fields=["account", "at"], condition=models.Q(state="open"), name="reservation_open_of"),
            models.Index(fields=["at"], name="reservation_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.id}"


class UsageEvent(Attributed):
    """One line of the ledger. ``at`` is when the work was begun, so that it falls into the period that held it.

    ``unit_price`` is the price of one unit on that day; None means that nobody knew it, and then ``cost`` is None too.
    """

    at = models.DateTimeField()
    reservation_id = models.UUIDField()
    line = models.PositiveSmallIntegerField(default=0)
    unit = models.CharField(max_length=40)
    item = models.CharField(max_length=120, blank=True)
    quantity = models.DecimalField(**QUANTITY)
    unit_price = models.DecimalField(null=True, **UNIT_PRICE)
    cost = models.DecimalField(null=True, **MONEY)
    ok = models.BooleanField(default=True)
    duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=200, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "reservation_id", "line"], name="usage_counted_once"),
            models.UniqueConstraint(
                fields=["account", "idempotency_key", "line"],
                condition=~models.Q(idempotency_key=""),
                name="usage_key_once",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "at"], name="usage_by_time"),
            models.Index(fields=["unit", "item", "at"], condition=models.Q(cost=None), name="usage_unpriced"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.unit} {self.item}".rstrip()


class DailyUsage(Attributed):
    """The sums of a day (UTC), kept by the transaction that settles: what pages and reports read.

    ``calls``, ``errors`` and ``duration_ms`` are counted on the first line of each piece of work alone, so they may be
    summed over units.
    """

    day = models.DateField()
    unit = models.CharField(max_length=40)
    item = models.CharField(max_length=120, blank=True)
    quantity = models.DecimalField(default=Decimal(0), **QUANTITY)
    cost = models.DecimalField(default=Decimal(0), help_text="Of the lines whose price was known.", **MONEY)
    unpriced = models.PositiveBigIntegerField(default=0, help_text="Lines whose price nobody knew.")
    calls = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    duration_ms = models.PositiveBigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "account", "day", "source", "subject", "cause", "cause_subject", "user_id", "api_key_id", "unit",
                    "item",
                ],
                nulls_distinct=False,
                name="usage_of_day_once",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.day} {self.unit} {self.item}".rstrip()
