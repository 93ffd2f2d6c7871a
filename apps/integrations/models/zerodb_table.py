"""Tables of a ZeroDB project: rows of JSON, with a schema that says what some of their fields are."""

from __future__ import annotations

from django.db import models

from apps.integrations.models.zerodb_owned import ProjectModel


class ZeroTable(ProjectModel):
    """One table. ``definition`` is the schema: ``{"fields": {name: {type, required, default}}, "indexes": […]}``."""

    public_id = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    definition = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(ProjectModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["project", "public_id"], name="zerodb_table_id_once"),
            models.UniqueConstraint(fields=["project", "name"], name="zerodb_table_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class ZeroRow(ProjectModel):
    """One row of a table."""

    # The migration adds (project_id, table_id) → (project_id, id), by which rows go with their table.
    table = models.ForeignKey(
        ZeroTable, on_delete=models.DO_NOTHING, editable=False, db_index=False, db_constraint=False, related_name="+"
    )
    public_id = models.CharField(max_length=20)
    row_data = models.JSONField(default=dict)
    updated_at = models.DateTimeField(null=True, blank=True)

    class Meta(ProjectModel.Meta):
        constraints = [models.UniqueConstraint(fields=["project", "public_id"], name="zerodb_row_id_once")]
        indexes = [models.Index(fields=["project", "table", "-created_at", "-id"], name="zerodb_row_newest")]

    def __str__(self) -> str:
        return self.public_id
