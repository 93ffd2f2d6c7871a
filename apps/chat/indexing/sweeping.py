"""Finding the accounts that have something to index."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Account, FeatureChoice
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.features import SEMANTIC_SEARCH
from apps.chat.indexing.changes import to_plan
from apps.chat.indexing.reindexing import queue_indexing
from apps.chat.models import IndexedMessage, IndexGeneration

ACTOR = Actor.system("indexing")


def sweep() -> int:
    """Put indexing in line for each active account with something due. Returns for how many."""
    with platform("find accounts with something to index"):
        due, missed = set(_with_work()), set(_to_plan())
        accounts = Account.objects.filter(pk__in=due | missed, status=Account.Status.ACTIVE)
        active = list(accounts.values_list("id", flat=True))
    return sum(_queue(account_id, is_due=account_id in due) for account_id in active)


def _queue(account_id: UUID, *, is_due: bool) -> bool:
    with tenant(account_id):
        if is_due or to_plan(account_id):
            queue_indexing(ACTOR)
            return True
    return False


def _with_work() -> list[UUID]:
    """Accounts with something due."""
    to_do = IndexedMessage.objects.exclude(state=IndexedMessage.State.INDEXED).filter(due_at__lte=timezone.now())
    return list(to_do.order_by().values_list("account_id", flat=True).distinct())


def _to_plan() -> list[UUID]:
    """Accounts whose index has missed something, perhaps because nobody wants it."""
    missed = IndexGeneration.objects.exclude(status=IndexGeneration.Status.RETIRED).filter(is_planned=False)
    chosen_off = FeatureChoice.objects.filter(feature=SEMANTIC_SEARCH.name, enabled=False)
    accounts = missed.exclude(account_id__in=chosen_off.values("account_id"))
    return list(accounts.order_by().values_list("account_id", flat=True).distinct())
