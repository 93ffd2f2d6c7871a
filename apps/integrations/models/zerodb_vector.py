"""Vectors of a ZeroDB project."""

from __future__ import annotations

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Cast
from pgvector.django import HnswIndex, VectorField

from apps.integrations.models.zerodb_owned import ProjectModel

VECTOR_DIMENSIONS = (384, 768, 1024, 1536)
"""Lengths a vector may have. Each has an index of its own: an index holds vectors of one length."""


def nearest_index(name: str, dimensions: int) -> HnswIndex:
    """The index by which rows nearest to a vector of this length are found."""
    return HnswIndex(
        OpClass(Cast("embedding", VectorField(dimensions=dimensions)), "vector_cosine_ops"),
        condition=models.Q(dimensions=dimensions),
        m=16,
        ef_construction=64,
        name=f"{name}_{dimensions}",
    )


class ZeroVector(ProjectModel):
    """A vector with its text and metadata; ``external_id`` is the caller's own id in its namespace.

    ``model`` is the embedding model that made the vector, ``model_name`` the name by which the caller asked for it;
    both are empty when the caller brought the vector itself.
    """

    namespace = models.CharField(max_length=128)
    external_id = models.CharField(max_length=512)
    dimensions = models.PositiveSmallIntegerField()
    embedding = VectorField()
    document = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    model = models.CharField(max_length=100, blank=True)
    model_name = models.CharField(max_length=100, blank=True, default="")
    stored_at = models.DateTimeField()

    class Meta(ProjectModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["project", "namespace", "external_id"], name="zerodb_vector_id_once")
        ]
        indexes = [
            models.Index(fields=["project", "namespace", "-created_at"], name="zerodb_vector_newest"),
            *(nearest_index("zerodb_vector_nearest", dimensions) for dimensions in VECTOR_DIMENSIONS),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.external_id}"
