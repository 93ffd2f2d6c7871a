"""How far the index of an account is, for pages and commands."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from apps.accounts.models import Job
from apps.chat.indexing.generations import Status
from apps.chat.indexing.reindexing import KIND
from apps.chat.models import IndexedMessage, IndexGeneration

State = IndexedMessage.State


@dataclass(frozen=True)
class IndexProgress:
    """Counted in messages. ``vectors`` are those that serve; ``problem`` says in words why it does not go on."""

    model: str
    indexed: int
    total: int
    vectors: int
    is_rebuilding: bool
    problem: str

    @property
    def is_complete(self) -> bool:
        """Whether everything that is to be found is."""
        return self.indexed == self.total and not self.is_rebuilding

    @property
    def percent(self) -> int:
        """Of what is to be indexed, rounded down: 100 means all."""
        return 100 * self.indexed // self.total if self.total else 100


def index_progress() -> IndexProgress:
    """Of the account in scope: of the index that is being built, otherwise of the one in use."""
    living = list(IndexGeneration.objects.exclude(status=Status.RETIRED))
    building = next((row for row in living if row.status == Status.BUILDING), None)
    serving = next((row for row in living if row.status == Status.SERVING), None)
    shown = building or serving
    rows = IndexedMessage.objects.exclude(state=State.REMOVING)
    counts = rows.filter(generation=shown).aggregate(
        total=Count("id"), indexed=Count("id", filter=Q(state=State.INDEXED))
    )
    vectors = rows.filter(generation=serving, state=State.INDEXED).aggregate(sum=Sum("passages"))["sum"] or 0
    waiting = Job.objects.filter(kind=KIND).order_by("-created_at").values_list("status", "error").first()
    problem = waiting[1] if waiting and waiting[0] != Job.Status.DONE else ""
    return IndexProgress(
        model=shown.model if shown else "",
        indexed=counts["indexed"],
        total=counts["total"],
        vectors=vectors,
        is_rebuilding=building is not None,
        problem=problem,
    )
