"""Finding the accounts that have something to index."""

from __future__ import annotations

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.indexing.reindexing import queue_indexing
from apps.chat.indexing.running import account_ids_with_work

ACTOR = Actor.system("indexing")


def sweep() -> int:
    """Put indexing in line for each active account with something due. Returns for how many."""
    with platform("find accounts with something to index"):
        due = account_ids_with_work()
        active = set(Account.objects.filter(pk__in=due, status=Account.Status.ACTIVE).values_list("id", flat=True))
    for account_id in active:
        with tenant(account_id):
            queue_indexing(ACTOR)
    return len(active)
