"""How much an account's AI project holds, for the ledger (``apps/accounts/metering/holding.py``).

The embedded server is counted where it lies. One elsewhere is asked in the background alone, and tells neither how
much memory is used nor what is kept for nothing; pages show what it said last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Set
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from apps.accounts.metering import LedgerBusy, declare_price
from apps.accounts.metering.holding import ITEM, Holdings, Waste, count_holdings, counted_in_month
from apps.accounts.metering.lines import MEMORY, SEARCHES, VECTORS
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject, ZeroVector
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.zerodb.client import is_embedded, project_client
from apps.integrations.zerodb.server.store.matches import forget_matches_of_removed, kept_for_nothing
from apps.integrations.zerodb.server.store.usage import memory_bytes
from apps.integrations.zerodb.server.walls import project as project_scope
from apps.integrations.zerodb.usage import LOOKUPS

logger = logging.getLogger(__name__)
REMEMBERED = 600
"""Seconds for which a page shows what was counted before; of a server elsewhere until it is asked again."""
_REMEMBERED_ELSEWHERE = 3 * 24 * 3600
_GIGABYTE = Decimal(10) ** 9
_BATCH = 5000

Exists = Callable[[str, Iterable[str]], Set[str]]
_origins: dict[str, Exists] = {}
_passing: dict[str, Callable[[], Set[str]]] = {}


def declare_prices() -> None:
    """What the contract of the first source system says (P-08), in dollars a month; at start-up."""
    declare_price(VECTORS, ITEM, "0.001")
    declare_price(SEARCHES, ITEM, "0.01")
    declare_price(MEMORY, ITEM, "0.10", free=1)
    declare_price("embeddings", ITEM, "0")  # made on this server
    declare_price(LOOKUPS, ITEM, "0")  # nobody asked for them: an operator whose service charges for them says so


def declare_origin(name: str, exists: Exists) -> None:
    """Say at start-up how to find out whether what vectors were made of is still there.

    For the namespace ``name`` and all that begin with it and a hyphen. ``exists`` takes a namespace and external ids
    in it, and answers those whose origin exists, in the account's scope.
    """
    _origins[name] = exists


def declare_passing(name: str, namespaces: Callable[[], Set[str]]) -> None:
    """Say at start-up which namespaces are there in passing, of the account in scope: an index that is built beside
    the one in use, one that is being removed. Nobody is charged for them: what is built anew is held once.
    """
    _passing[name] = namespaces


def read(account_id: UUID) -> Holdings | None:
    """What the account in scope holds, for somebody who looks; None without a project."""
    project = _ready()
    if project is None:
        return None
    known: Holdings | None = cache.get(_key(account_id))
    if known is not None:
        return known
    if is_embedded():
        return _remember(account_id, measure(project, timezone.now()))
    return Holdings(int(counted_in_month(VECTORS, timezone.now())))


def measure(project: AINativeProject, now: datetime) -> Holdings:
    """What the project holds now. Raises OutboundError when its server, elsewhere, can't tell."""
    held = _amounts(project, now)
    if not is_embedded():
        return held
    passing = _in_passing()
    with project_scope(UUID(project.project_id)):
        gone = _all_gone()
        kept = kept_for_nothing(now, but=gone)
    charged = sum(namespace not in passing for namespace, _ in gone)
    unused = [one for one in kept.unused if one[0] not in passing]
    return replace(held, waste=Waste(kept.duplicates, kept.stale, charged, unused))


def _amounts(project: AINativeProject, now: datetime) -> Holdings:
    """What is held, without what of it is wasted, which takes longer to find. Raises OutboundError."""
    passing = _in_passing()
    if not is_embedded():
        with project_client(project.project_id, project.api_key or "") as client:
            there = client.vector_statistics().count
            there -= sum(client.vector_statistics(namespace).count for namespace in sorted(passing))
        return Holdings(max(0, there), measured_at=now)
    with project_scope(UUID(project.project_id)):
        memory = (Decimal(memory_bytes()) / _GIGABYTE).quantize(Decimal("0.000001"))
        return Holdings(ZeroVector.objects.exclude(namespace__in=passing).count(), memory, measured_at=now)


def _in_passing() -> set[str]:
    return {namespace for namespaces in _passing.values() for namespace in namespaces()}


def count_all(now: datetime) -> int:
    """Count into the ledger what came on top in every account. Returns for how many something did."""
    with platform("count what the accounts' AI projects hold"):
        ready = AINativeProject.objects.filter(AINativeProject.ready())
        accounts = list(ready.order_by("account_id").values_list("account_id", flat=True))
    return sum(_count(account_id, now) for account_id in accounts)


def count_changed(account_id: UUID, now: datetime) -> bool:
    """What an account holds has changed in the background: count it, unless that was done some minutes ago.

    Needs no scope. Returns whether something was counted; what can't be counted now is later.
    """
    if not cache.add(f"zerodb-counted:{account_id}", True, REMEMBERED):
        return False
    try:
        return _count(account_id, now, _amounts)
    except LedgerBusy as error:
        logger.warning("What an AI project holds can't be counted now: %s", error)
        return False


def _count(account_id: UUID, now: datetime, look: Callable[[AINativeProject, datetime], Holdings] = measure) -> bool:
    with tenant(account_id):
        project = _ready()
        if project is None:
            return False
        try:
            held = look(project, now)
        except OutboundError as error:
            logger.warning("What an AI project holds can't be counted now: %s", error)
            return False
        if is_embedded() and held.waste is not None:
            with project_scope(UUID(project.project_id)):
                forget_matches_of_removed()
    if held.waste is not None or not is_embedded():
        _remember(account_id, held)
    else:
        forget_measured(account_id)
    with tenant(account_id):
        # One at a time: each counts what comes on top of what the one before has counted.
        AINativeProject.objects.select_for_update(of=("self",), no_key=True).filter(pk=project.pk).first()
        settled = count_holdings(account_id, held, now)
    return settled is not None and settled.first


def _ready() -> AINativeProject | None:
    row: AINativeProject | None = AINativeProject.objects.filter(AINativeProject.ready()).first()
    if row is None or not row.is_configured:
        return None
    return row if not is_embedded() or _is_of_embedded(row) else None


def _is_of_embedded(project: AINativeProject) -> bool:
    """Whether the project can be one of the embedded server's: those made elsewhere may have ids of any kind."""
    try:
        UUID(project.project_id)
    except ValueError:
        return False
    return True


def gone() -> list[tuple[str, str]]:
    """Namespace and external id of each vector whose origin is gone, in the account's scope.

    None of a server elsewhere, which does not tell.
    """
    project = _ready()
    if project is None or not is_embedded():
        return []
    with project_scope(UUID(project.project_id)):
        return _all_gone()


def forget_measured(account_id: UUID) -> None:
    """Let the next who looks count anew: something was removed."""
    transaction.on_commit(lambda: cache.delete(_key(account_id)))


def _all_gone() -> list[tuple[str, str]]:
    namespaces = ZeroVector.objects.order_by().values_list("namespace", flat=True).distinct()
    return [
        (namespace, key)
        for namespace in namespaces
        for name, exists in _origins.items()
        if namespace == name or namespace.startswith(f"{name}-")
        for key in _gone(namespace, exists)
    ]


def _gone(namespace: str, exists: Exists) -> list[str]:
    ids = list(ZeroVector.objects.filter(namespace=namespace).values_list("external_id", flat=True))
    found: list[str] = []
    for first in range(0, len(ids), _BATCH):
        some = ids[first : first + _BATCH]
        there = exists(namespace, some)
        found += [one for one in some if one not in there]
    return found


def _key(account_id: UUID) -> str:
    return f"zerodb-holdings:{account_id}"


def _remember(account_id: UUID, held: Holdings) -> Holdings:
    seconds = REMEMBERED if is_embedded() else _REMEMBERED_ELSEWHERE
    transaction.on_commit(lambda: cache.set(_key(account_id), held, seconds))
    return held
