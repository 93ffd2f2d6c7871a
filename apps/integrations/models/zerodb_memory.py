"""The two memories of a ZeroDB project: remembered facts, and the append-only log of agent runs."""

from __future__ import annotations

from django.db import models
from pgvector.django import VectorField

from apps.integrations.models.zerodb_owned import ProjectModel
from apps.integrations.models.zerodb_vector import VECTOR_DIMENSIONS, nearest_index


class ZeroMemory(ProjectModel):
    """A fact worth remembering (``database/memory``), searchable by meaning."""

    class Priority(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"
        CRITICAL = "critical"

    content = models.TextField()
    title = models.CharField(max_length=255, blank=True)
    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.MEDIUM)
    tags = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    user_id = models.CharField(max_length=255, blank=True)
    session_id = models.CharField(max_length=255, blank=True)
    agent_id = models.CharField(max_length=255, blank=True)
    role = models.CharField(max_length=50, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    dimensions = models.PositiveSmallIntegerField()
    embedding = VectorField()
    model = models.CharField(max_length=100)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(ProjectModel.Meta):
        indexes = [
            models.Index(fields=["project", "-created_at"], name="zerodb_memory_newest"),
            nearest_index("zerodb_memory_nearest", VECTOR_DIMENSIONS[0]),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)


class ZeroAgentMemory(ProjectModel):
    """One entry of an agent's run (``agent-memory``, ``memory/remember``). Never changed; ``created_at`` is its
    timestamp.
    """

    class Kind(models.TextChoices):
        DECISION = "decision"
        CONTEXT = "context"
        STATE = "state"
        OBSERVATION = "observation"
        GOAL = "goal"
        PLAN = "plan"
        RESULT = "result"
        ERROR = "error"

    class CognitiveKind(models.TextChoices):
        """What ``memory/remember`` stores."""

        WORKING = "working"
        EPISODIC = "episodic"
        SEMANTIC = "semantic"
        PROCEDURAL = "procedural"

    memory_id = models.CharField(max_length=20)
    namespace = models.CharField(max_length=128)
    agent_id = models.CharField(max_length=255)
    run_id = models.CharField(max_length=255)
    memory_type = models.CharField(max_length=11, choices=[*Kind.choices, *CognitiveKind.choices])
    content = models.TextField()
    metadata = models.JSONField(default=dict, blank=True)
    # Null in entries from before they were recalled by meaning.
    dimensions = models.PositiveSmallIntegerField(null=True, blank=True)
    embedding = VectorField(null=True, blank=True)
    model = models.CharField(max_length=100, blank=True, default="")

    class Meta(ProjectModel.Meta):
        constraints = [models.UniqueConstraint(fields=["project", "memory_id"], name="zerodb_agent_memory_id_once")]
        indexes = [
            models.Index(fields=["project", "namespace", "-created_at"], name="zerodb_agent_memory_newest"),
            nearest_index("zerodb_agent_nearest", VECTOR_DIMENSIONS[0]),
        ]

    def __str__(self) -> str:
        return self.memory_id
