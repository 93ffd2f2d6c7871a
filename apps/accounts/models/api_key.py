"""A key with which a program acts for an account."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from apps.accounts.roles import Role
from apps.accounts.tenancy.models import TenantModel


class APIKey(TenantModel):
    """``sr_<key id>_<secret>``: the key id finds the row, the secret is stored as a peppered SHA-256 alone."""

    key_id = models.CharField(max_length=16, editable=False)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    pepper_version = models.PositiveSmallIntegerField(default=1, editable=False)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    scopes = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    rate_limit_per_hour = models.PositiveIntegerField(null=True, blank=True)
    cost_limit_per_month = models.DecimalField(
        null=True, blank=True, max_digits=10, decimal_places=4, validators=[MinValueValidator(0)]
    )
    enabled = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "API key"
        constraints = [models.UniqueConstraint(fields=["account", "key_id"], name="api_key_id_once")]
        indexes = [models.Index(fields=["key_id"], name="api_key_by_id")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def prefix(self) -> str:
        """What may be shown: the part of the key that is no secret."""
        return f"sr_{self.key_id}"

    @property
    def usable(self) -> bool:
        """Switched on and not past its end."""
        return self.enabled and (self.expires_at is None or self.expires_at > timezone.now())
