"""Keeping the settings of accounts' projects in step with the feature switches (apps/accounts/features).

The switches are the truth. ``settings["features"]`` of a project is what was last meant for the AI service; where the
two differ, it is changed and a job sends it.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.features import states_of
from apps.accounts.features.rollout import reason_against
from apps.accounts.features.states import staging
from apps.accounts.models import FeatureChoice
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.provisioning.configuring import queue_settings

FEATURES = ("semantic_search", "smart_suggestions", "agent_memory")
"""What the settings of a project know of."""
_ACTOR = Actor.system("Feature switches")


def align(account_id: UUID, actor: Actor) -> bool:
    """Put the switches of the account in scope into its project's settings. True when a job sends them."""
    project = AINativeProject.objects.select_for_update().filter(account_id=account_id).first()
    wanted = {state.feature.name: state.enabled for state in states_of(account_id) if state.feature.name in FEATURES}
    if project is None or project.settings.get("features") == wanted:
        return False
    project.settings = {**project.settings, "features": wanted}
    project.save(update_fields=["settings", "updated_at"])
    if project.is_configured:
        queue_settings(actor)
    return project.is_configured


def feature_chosen(account_id: UUID, feature: str, actor: Actor, **_: Any) -> None:
    """Receiver of ``feature_chosen``: in the transaction that switches it."""
    if feature in FEATURES:
        align(account_id, actor)


def feature_staged(feature: str, **_: Any) -> None:
    """Receiver of ``feature_staged``: all accounts are looked at in the background."""
    from apps.integrations.tasks import align_features

    if feature in FEATURES:
        transaction.on_commit(partial(align_features.delay))


def align_all() -> int:
    """Align every account whose project is behind. Returns how many were."""
    with platform("compare the features of all accounts with their projects"):
        behind = _behind()
    for account_id in behind:
        with tenant(account_id):
            align(account_id, _ACTOR)
    return len(behind)


def _behind() -> list[UUID]:
    stages = {name: stage for name, stage in staging().items() if name in FEATURES}
    choices: dict[UUID, dict[str, bool]] = defaultdict(dict)
    for account_id, name, enabled in FeatureChoice.objects.values_list("account_id", "feature", "enabled"):
        choices[account_id][name] = enabled
    found = []
    for account_id, settings in AINativeProject.objects.values_list("account_id", "settings").iterator():
        own = choices.get(account_id, {})
        wanted = {
            name: not reason_against(name, account_id, stage, percent, own.get(name))
            for name, (stage, percent) in stages.items()
        }
        if settings.get("features") != wanted:
            found.append(account_id)
    return found
