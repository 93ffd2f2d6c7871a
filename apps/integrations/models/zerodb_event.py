"""Events of a ZeroDB project: what happened, in the order in which it did."""

from __future__ import annotations

from django.db import models

from apps.integrations.models.zerodb_owned import ProjectModel


class ZeroEvent(ProjectModel):
    """One event. ``happened_at`` is the caller's time, ``written`` the same as the caller wrote it."""

    public_id = models.CharField(max_length=20)
    event_type = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    source = models.CharField(max_length=100, blank=True)
    happened_at = models.DateTimeField()
    written = models.CharField(max_length=64)

    class Meta(ProjectModel.Meta):
        constraints = [models.UniqueConstraint(fields=["project", "public_id"], name="zerodb_event_id_once")]
        indexes = [models.Index(fields=["project", "-happened_at", "-id"], name="zerodb_event_newest")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.public_id}"
