"""Features that are switched: how far the operator has let each one out, and what each account chose."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.models import TenantModel


class Stage(models.TextChoices):
    """How far a feature is let out, from nobody to everybody."""

    OFF = "off", "Off"
    OPT_IN = "opt_in", "Opt-in"
    PERCENT = "percent", "A share of accounts"
    ON = "on", "On, with opt-out"


class FeatureStage(models.Model):
    """Of the platform, the same for all accounts. A feature without a row is where the product ships it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    feature = models.CharField(max_length=60, unique=True)
    stage = models.CharField(max_length=10, choices=Stage.choices)
    percent = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # None: as shipped, so that a new version may ship it elsewhere.
    changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["feature"]

    def __str__(self) -> str:
        return self.feature


class FeatureChoice(TenantModel):
    """What an account chose for itself, or staff for it. Without a row it follows the operator's stage."""

    feature = models.CharField(max_length=60)
    enabled = models.BooleanField()
    # The operator's staff may choose for an account, at its request; its people should read who did.
    by_staff = models.BooleanField(default=False, db_default=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "feature"], name="feature_choice_once")]

    def __str__(self) -> str:
        return f"{self.feature} {'on' if self.enabled else 'off'}"
