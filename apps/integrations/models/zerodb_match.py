"""Which vectors searches have found lately."""

from __future__ import annotations

from django.db import models

from apps.integrations.models.zerodb_owned import ProjectModel


class ZeroMatch(ProjectModel):
    """A vector was among a search's results, to the week. A row beside the vector's: that one is two kilobytes, and
    every new version of it goes into the index of its neighbours again.
    """

    vector_id = models.UUIDField()
    matched_on = models.DateField()

    class Meta(ProjectModel.Meta):
        constraints = [models.UniqueConstraint(fields=["project", "vector_id"], name="zerodb_match_once")]

    def __str__(self) -> str:
        return f"{self.vector_id} on {self.matched_on}"
