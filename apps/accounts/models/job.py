"""A piece of work in the background: a row first, a message second."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from apps.accounts.tenancy.models import TenantModel


class Job(TenantModel):
    """What runs (or ran) for an account outside of a request. ``apps/accounts/jobs`` moves it.

    ``payload`` and ``result`` hold ids, counts and settings, never personal data: they are not encrypted.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    FINISHED: ClassVar[tuple[str, ...]] = (Status.DONE, Status.FAILED, Status.CANCELLED)

    kind = models.CharField(max_length=60)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    payload = models.JSONField(default=dict, blank=True)
    result = models.JSONField(null=True, blank=True)
    done = models.PositiveBigIntegerField(default=0, help_text="Units finished.")
    total = models.PositiveBigIntegerField(null=True, blank=True, help_text="Units in all, when known.")
    error = models.TextField(blank=True, help_text="The last failure, in words.")
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    # Before this the sweep sends no (other) message for it.
    resend_at = models.DateTimeField(null=True, blank=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    # Names the one attempt that may write: a worker that lost its lease can't finish the job.
    lease = models.UUIDField(null=True, blank=True, editable=False)
    # At most one unfinished job per account with the same key.
    dedupe_key = models.CharField(max_length=120, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "dedupe_key"],
                condition=models.Q(status__in=["queued", "running"]) & ~models.Q(dedupe_key=""),
                name="job_unfinished_once",
            )
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="job_newest"),
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(status__in=["queued", "running"]), name="job_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_finished(self) -> bool:
        return self.status in self.FINISHED
