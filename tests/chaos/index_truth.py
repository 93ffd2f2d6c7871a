"""What must be true of an account's index once it has caught up, read from the tables themselves."""

from __future__ import annotations

from collections import Counter as Count
from datetime import timedelta
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from apps.accounts.metering.expiring import expire_reservations
from apps.accounts.models import Counter, Job, Reservation, UsageEvent
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.indexing.generations import INDEXED_TYPES
from apps.chat.indexing.passages import passages_of, vector_id
from apps.chat.indexing.reindexing import KIND
from apps.chat.models import IndexedMessage, IndexGeneration, Message
from apps.integrations.models import AINativeProject, ZeroVector
from apps.vault.messages import load_contents


def faults(account: UUID) -> list[str]:
    """What is wrong, in words; [] when the index is exactly what it should be."""
    with tenant(account):
        generations = list(IndexGeneration.objects.all())
        if [(row.status, row.is_planned) for row in generations] != [("serving", True)]:
            return [f"generations: {[(row.number, row.status, row.is_planned) for row in generations]}"]
        rows = Count(IndexedMessage.objects.values_list("message_id", "state", "passages"))
        texts = _texts()
        project = AINativeProject.objects.get().project_id
    wanted = {message: len(passages_of(text)) for message, text in texts.items()}
    found = [*_differences("row", Count((message, "indexed", number) for message, number in wanted.items()), rows)]
    ids = Count(
        (generations[0].namespace, vector_id(message, place)) for message, n in wanted.items() for place in range(n)
    )
    with platform("compare an index with what it should be"):
        stored = Count(ZeroVector.objects.filter(project__public_id=project).values_list("namespace", "external_id"))
    return found + _differences("vector", ids, stored)


def ledger_faults(account: UUID, *, at_least: int, at_most: int) -> list[str]:
    """Whether so many texts were counted as embedded, and nothing is kept for work that nobody does any more."""
    expire_reservations(timezone.now() + timedelta(days=1))
    with tenant(account):
        used = embedded()
        found = [] if at_least <= used <= at_most else [f"{used} texts counted, not {at_least} to {at_most}"]
        for counter in Counter.objects.all():
            if (counter.used, counter.reserved) != (used, 0):
                found.append(f"the limit has seen {counter.used} and holds {counter.reserved}, not {used} and 0")
        if left := Reservation.objects.filter(state=Reservation.State.OPEN).count():
            found.append(f"{left} reservations past their end are open")
    return found


def embedded() -> int:
    """How many texts the ledger of the account in scope has."""
    return int(UsageEvent.objects.filter(unit="embeddings").aggregate(sum=Sum("quantity"))["sum"] or 0)


def passages() -> int:
    """How many passages the account in scope has that belong into an index."""
    return sum(len(passages_of(text)) for text in _texts().values())


def has_work(account: UUID) -> bool:
    """Whether a job of indexing is in line or running."""
    with tenant(account):
        return Job.objects.filter(kind=KIND, status__in=[Job.Status.QUEUED, Job.Status.RUNNING]).exists()


def _texts() -> dict[UUID, str]:
    ids = Message.objects.filter(message_type__in=INDEXED_TYPES, is_private=False).values_list("id", flat=True)
    return load_contents(Message, ids)


def _differences(what: str, wanted: Count[object], found: Count[object]) -> list[str]:
    lost, more = wanted - found, found - wanted
    return [f"lost {what} {each}" for each in list(lost)[:3]] + [f"{what} too much {each}" for each in list(more)[:3]]
