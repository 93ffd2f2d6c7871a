"""What of the conversations lies in the index by meaning, and what has to go in or out."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from apps.accounts.models import Job
from apps.accounts.tenancy.models import TenantForeignKey, TenantModel


class IndexGeneration(TenantModel):
    """One whole index of an account's messages: one model, one namespace. A new one is built beside the old."""

    class Status(models.TextChoices):
        BUILDING = "building", "Being built"
        SERVING = "serving", "In use"
        RETIRED = "retired", "Being removed"

    number = models.PositiveIntegerField()
    model = models.CharField(max_length=200)
    namespace = models.CharField(max_length=64)
    # The AI project that holds it: in another one there is nothing of it. Empty before the first vector.
    project = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=10, choices=Status.choices)
    # Up to which message a new generation has been told of those that were there before it.
    planned_up_to = models.UUIDField(null=True)
    is_planned = models.BooleanField(default=False)
    # Texts per second at most while it is built; none: as fast as it goes.
    rate = models.FloatField(null=True)
    job: Any = TenantForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="index_generation_number"),
            models.UniqueConstraint(
                fields=["account", "status"], condition=~Q(status="retired"), name="index_generation_one_of_each"
            ),
        ]

    def __str__(self) -> str:
        return f"Index {self.number} of {self.account_id}"


class IndexedMessage(TenantModel):
    """One message in one generation: the row comes before its vectors, and goes after them.

    The ids of message and conversation are no references: when they are gone, their vectors still have to be removed.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        INDEXED = "indexed", "Indexed"
        REMOVING = "removing", "Being removed"

    generation: Any = TenantForeignKey(
        IndexGeneration, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    message_id = models.UUIDField()
    conversation_id = models.UUIDField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    # How many vectors it has, or may have.
    passages = models.PositiveSmallIntegerField(default=0)
    # From when on it may be worked on: what changes again at once is indexed once.
    due_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account", "generation", "message_id"], name="indexed_message_once")
        ]
        indexes = [
            models.Index(fields=["account", "conversation_id"], name="indexed_message_conversation"),
            models.Index(
                fields=["account", "generation", "due_at"],
                condition=~Q(state="indexed"),
                name="indexed_message_to_do",
            ),
        ]

    def __str__(self) -> str:
        return f"Index row of message {self.message_id}"
