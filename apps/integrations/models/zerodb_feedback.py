"""What people thought of an answer that a machine gave."""

from __future__ import annotations

from django.db import models

from apps.integrations.models.zerodb_owned import ProjectModel


class ZeroFeedback(ProjectModel):
    """One rated interaction (``database/rlhf``)."""

    interaction_type = models.CharField(max_length=100)
    prompt = models.TextField()
    response = models.TextField()
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 (bad) to 5 (good).")
    feedback = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta(ProjectModel.Meta):
        indexes = [models.Index(fields=["project", "-created_at"], name="zerodb_feedback_newest")]

    def __str__(self) -> str:
        return f"{self.interaction_type} {self.id}"
