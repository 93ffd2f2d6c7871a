"""What an attempt sent although it was not its turn any more: a worker that stood still past its lease and went on.

No service can be told that a late put must not count: neither the embedded server nor others know of leases. So an
attempt makes sure of its lease right before it sends and asks again right after. What it sent too late, and its
successor may have removed by then, it removes again – first as a note for the job, which holds if it dies here.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from apps.accounts.crash_points import crash_point
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.passages import vector_id
from apps.chat.models import IndexedMessage, IndexGeneration
from apps.integrations.zerodb.client import ProjectClient

State = IndexedMessage.State


def take_back(
    account_id: UUID, client: ProjectClient, generation: IndexGeneration, rows: Iterable[IndexedMessage]
) -> list[str]:
    """Remove the vectors of those of ``rows`` that have no place in the index now. Returns their ids.

    Vectors whose message is still to be indexed, or is by now, are what they should be: they bear its id. Raises
    OutboundError; what could not be removed is noted for the job, unless the whole generation is gone.
    """
    sent = {row.message_id: row for row in rows}
    with tenant(account_id):
        there = IndexedMessage.objects.filter(generation_id=generation.pk, message_id__in=sent)
        living = set(there.exclude(state=State.REMOVING).values_list("message_id", flat=True))
        late = [row for message, row in sent.items() if message not in living]
        # Whoever is just removing these has perhaps been at the service already: they are due anew.
        there.filter(state=State.REMOVING).update(due_at=timezone.now())
        if IndexGeneration.objects.select_for_update().filter(pk=generation.pk).exists():
            IndexedMessage.objects.bulk_create([_to_remove(row) for row in late], ignore_conflicts=True)
    crash_point("indexing.noted_late")
    ids = [vector_id(row.message_id, place) for row in late for place in range(row.passages)]
    if ids:
        client.delete_vectors(ids, namespace=generation.namespace)
    return ids


def _to_remove(row: IndexedMessage) -> IndexedMessage:
    return IndexedMessage(
        generation_id=row.generation_id,
        message_id=row.message_id,
        conversation_id=row.conversation_id,
        state=State.REMOVING,
        passages=row.passages,
        due_at=timezone.now(),
    )
