"""An event that an outside service told us of."""

from __future__ import annotations

from django.db import models

from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.integrations.models.integration import Integration
from apps.vault.fields import EncryptedJSONField


class ReceivedEvent(TenantModel):
    """One event, stored before anything is made of it. ``apps/integrations/webhooks`` is the only place that writes it.

    ``key`` is the SHA-256 of the service's own id: the same event is taken once, however often it is sent. The payload
    is emptied after a while, the key stays longer. ``next_attempt_at`` None and ``handed_on_at`` None: given up.
    """

    integration = TenantForeignKey(Integration, on_delete=models.CASCADE, related_name="events", editable=False)
    key = models.CharField(max_length=64, editable=False)
    kind = models.CharField(max_length=120, editable=False)
    payload = EncryptedJSONField(null=True, editable=False)
    occurred_at = models.DateTimeField(null=True, editable=False)
    handed_on_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=200, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "integration", "key"], name="received_event_once"),
        ]
        indexes = [
            models.Index(fields=["account", "integration", "-created_at"], name="received_event_latest"),
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(handed_on_at=None, next_attempt_at__isnull=False),
                name="received_event_due",
            ),
            models.Index(fields=["created_at"], name="received_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.integration_id}"
