"""How much may be used, by whom, in which time."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from apps.accounts.models.usage import MONEY
from apps.accounts.tenancy.models import TenantForeignKey, TenantModel


class Limit(TenantModel):
    """An amount of money, or of one unit, per period (UTC), for all work that fits every filled target field."""

    class Scope(models.TextChoices):
        ACCOUNT = "account", "The account"
        MEMBER = "member", "A member"
        API_KEY = "api_key", "An API key"
        SOURCE = "source", "A part of the product"

    class Measure(models.TextChoices):
        COST = "cost", "Cost"
        QUANTITY = "quantity", "Quantity"

    class Period(models.TextChoices):
        MINUTE = "minute", "A minute"
        HOUR = "hour", "An hour"
        DAY = "day", "A day"
        MONTH = "month", "A month"
        TOTAL = "total", "In all"

    class SetBy(models.TextChoices):
        OPERATOR = "operator", "The operator"
        TENANT = "tenant", "The account"

    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.ACCOUNT)
    user_id = models.UUIDField(null=True, blank=True)
    api_key_id = models.UUIDField(null=True, blank=True)
    source = models.CharField(max_length=40, blank=True)
    subject = models.UUIDField(null=True, blank=True)
    measure = models.CharField(max_length=10, choices=Measure.choices, default=Measure.COST)
    unit = models.CharField(max_length=40, blank=True, help_text="Of a quantity: calls, input_tokens …")
    period = models.CharField(max_length=10, choices=Period.choices, default=Period.MONTH)
    amount = models.DecimalField(validators=[MinValueValidator(0)], **MONEY)
    hard = models.BooleanField(default=True, help_text="Refuse what does not fit. Otherwise it only warns.")
    allow_unpriced = models.BooleanField(
        default=False, help_text="Let work pass whose price nobody knows. A hard limit of cost refuses it otherwise."
    )
    set_by = models.CharField(max_length=10, choices=SetBy.choices, default=SetBy.TENANT)
    # The limit is a setting of the API key: it is changed and removed there.
    of_key = models.BooleanField(default=False, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "account", "scope", "user_id", "api_key_id", "source", "subject", "measure", "unit", "period",
                    "hard", "set_by", "of_key",
                ],
                nulls_distinct=False,
                name="limit_once",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.amount.normalize():f} {self.unit or 'cost'} per {self.period}"

    @property
    def is_cost(self) -> bool:
        """Whether it is money that is limited."""
        return self.measure == self.Measure.COST


class Counter(TenantModel):
    """What one limit has seen in one period. ``used + reserved`` of a hard limit stays within its amount."""

    limit = TenantForeignKey(Limit, on_delete=models.CASCADE, related_name="counters")
    period_start = models.DateTimeField()
    used = models.DecimalField(default=Decimal(0), **MONEY)
    reserved = models.DecimalField(default=Decimal(0), **MONEY)
    unpriced = models.PositiveBigIntegerField(default=0, help_text="Lines whose price nobody knew.")
    alerted = models.PositiveSmallIntegerField(default=0, help_text="The highest per cent that was told.")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "limit", "period_start"], name="counter_once")]
        indexes = [models.Index(fields=["period_start"], name="counter_oldest")]

    def __str__(self) -> str:
        return f"{self.limit_id} since {self.period_start}"


class LimitAlert(TenantModel):
    """A limit came to 80, 90 or 100 per cent: once per period."""

    limit = TenantForeignKey(Limit, on_delete=models.CASCADE, related_name="alerts")
    period_start = models.DateTimeField()
    percent = models.PositiveSmallIntegerField()
    used = models.DecimalField(**MONEY)
    amount = models.DecimalField(**MONEY)
    at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "limit", "period_start", "percent"], name="limit_alert_once")
        ]
        indexes = [models.Index(fields=["account", "-at"], name="limit_alert_newest")]

    def __str__(self) -> str:
        return f"{self.limit_id} at {self.percent} %"
