"""What a unit costs, from when."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from apps.accounts.identifiers import uuid7


class Price(models.Model):
    """Of the platform, the same for all accounts: ``amount`` for every ``per`` units, from ``starts_at`` on.

    ``item`` is exact ("anthropic/claude-sonnet-4"), of a provider ("anthropic/*") or of everything ("*").
    """

    class Origin(models.TextChoices):
        DECLARED = "declared", "Came with the product"
        OPERATOR = "operator", "Set by the operator"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    unit = models.CharField(max_length=40)
    item = models.CharField(max_length=120, default="*")
    amount = models.DecimalField(max_digits=18, decimal_places=8, validators=[MinValueValidator(0)])
    per = models.DecimalField(
        max_digits=18, decimal_places=6, default=1, validators=[MinValueValidator(Decimal("1e-6"))]
    )
    free = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        default=0,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Units that cost nothing, of what is held in a month: memory_gb, vectors.",
    )
    currency = models.CharField(max_length=3, default="USD")
    starts_at = models.DateTimeField()
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.OPERATOR, editable=False)
    # When events of unknown price were given this one; None: it has still to be looked for some.
    applied_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["unit", "item", "-starts_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "item", "starts_at", "origin"],
                name="price_once",
                violation_error_message="There is a price of this from that moment.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.item}: {self.amount.normalize():f} {self.currency} per {self.per.normalize():f}"

    @property
    def unit_price(self) -> Decimal:
        """The price of one unit."""
        return self.amount / self.per
