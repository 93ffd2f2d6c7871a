"""Projects of the embedded ZeroDB server."""

from __future__ import annotations

from django.db import models

from apps.integrations.models.zerodb_caller import CallerModel


class ZeroProject(CallerModel):
    """One store, reached by ``public_id`` in paths.

    A created project's ``public_id`` is its id. An implicit one was never created: it came into being when its
    caller first wrote to an unknown id, is private to that caller and bears any text as its id.
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT"
        ACTIVE = "ACTIVE"
        INACTIVE = "INACTIVE"
        COMPLETED = "COMPLETED"
        ARCHIVED = "ARCHIVED"
        SUSPENDED = "SUSPENDED"
        DELETED = "DELETED"

    public_id = models.CharField(max_length=255)
    implicit = models.BooleanField(default=False)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.TextField(blank=True)
    tier = models.CharField(max_length=12, default="free")
    database_enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    config = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(CallerModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["caller", "public_id"], name="zerodb_project_public_id_once"),
        ]
        indexes = [
            models.Index(fields=["deleted_at"], condition=models.Q(status="DELETED"), name="zerodb_project_to_purge")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"
