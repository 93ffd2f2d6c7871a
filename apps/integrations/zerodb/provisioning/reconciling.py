"""Looking after the fact for projects that no account uses.

An attempt gives back what it made in vain, unless it dies before: a worker that lost its lease sends its create late,
the answer is lost, and nobody is left to look for it. So every hour all projects that bear our mark are compared with
those that the accounts use.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from uuid import UUID

from django.core.cache import cache

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.client import AccountClient, NotFound, account_client
from apps.integrations.zerodb.client.answers import Project
from apps.integrations.zerodb.provisioning.twins import (
    account_of,
    give_back,
    is_alive,
    is_being_set_up,
    is_known_empty,
)

ACTOR = Actor.system("Provisioning")
_TOLD_SECONDS = 30 * 24 * 3600
logger = logging.getLogger(__name__)


def reconcile() -> Counter[str]:
    """Give back empty projects that bear an account's mark and are not the one it uses.

    Returns how many were ``removed``, ``kept`` because they hold data (each is told once, in the account's trail), left
    to a job (``waiting``), and ``unknown``: marked with no account of this database. Those are only logged, since
    another installation may use the same key at the service. Raises OutboundError.
    """
    outcomes: Counter[str] = Counter()
    with account_client() as client:
        found = _marked(client)
        used = _used(set(found))
        for account_id, remotes in found.items():
            if account_id not in used:
                outcomes["unknown"] += len(remotes)
                logger.warning("AI projects with the mark of no account here: %s", [remote.id for remote in remotes])
                continue
            for remote in remotes:
                if remote.id != used[account_id]:
                    outcomes[_settle(client, account_id, remote.id)] += 1
    return outcomes


def _marked(client: AccountClient) -> dict[UUID, list[Project]]:
    found: dict[UUID, list[Project]] = defaultdict(list)
    for remote in client.projects():
        account_id = account_of(remote)
        if account_id is not None and is_alive(remote):
            found[account_id].append(remote)
    return found


def _used(account_ids: set[UUID]) -> dict[UUID, str]:
    with platform("compare the AI projects of all accounts with those at the service"):
        rows = AINativeProject.objects.filter(account_id__in=account_ids).values_list("account_id", "project_id")
        return dict(rows)


def _settle(client: AccountClient, account_id: UUID, remote_id: str) -> str:
    try:
        remote = client.get_project(remote_id)
    except NotFound:
        return "gone"
    with tenant(account_id):
        # While the row is held here no attempt stores this very project, and none begins.
        project = AINativeProject.objects.select_for_update().get()
        if project.project_id == remote.id:
            return "used"
        if not project.project_id or is_being_set_up():
            return "waiting"  # the next attempt adopts it or gives it back
        if is_known_empty(remote):
            give_back(client, remote)
            audit.record("project.twin_removed", actor=ACTOR, entity=project, changes={"project_id": remote.id})
            return "removed"
        if cache.add(f"project-twin-told:{remote.id}", True, _TOLD_SECONDS):
            logger.warning("The AI project %s is not the one its account uses, and holds data.", remote.id)
            audit.record("project.twin_found", actor=ACTOR, entity=project, changes={"project_id": remote.id})
        return "kept"
