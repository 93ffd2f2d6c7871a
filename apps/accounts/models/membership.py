"""Who belongs to an account, and as what."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.accounts.roles import Role
from apps.accounts.tenancy.models import TenantModel
from apps.accounts.tenancy.references import OwnedForeignKey


class Membership(TenantModel):
    """A user's place in an account. ``services/`` keep the rule that an account has an owner."""

    user = OwnedForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()}"
