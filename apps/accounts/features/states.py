"""Where each feature stands for an account, read from the database: for pages, the API and those who change it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from apps.accounts.features.registry import Feature, Need, feature, features
from apps.accounts.features.rollout import NOT_AVAILABLE, NOT_SWITCHED_ON, SWITCHED_OFF, reason_against
from apps.accounts.models import FeatureChoice, FeatureStage
from apps.accounts.tenancy.scope import HasId, current_account_id, tenant

Staging = Mapping[str, tuple[str, int]]
"""Stage and percent of features by name."""

_WORDS = {
    NOT_AVAILABLE: "is not available yet",
    SWITCHED_OFF: "is switched off by your account",
    NOT_SWITCHED_ON: "is not switched on yet",
}


@dataclass(frozen=True)
class FeatureState:
    """A feature for an account. ``choice`` is the account's own, None when it follows the operator's stage.

    ``against`` is the code of why it is not switched on, ``lacks`` what the account has to have first; with neither
    the feature is on. ``by_staff``: the operator's staff made the choice.
    """

    feature: Feature
    stage: str
    percent: int
    choice: bool | None
    against: str
    lacks: Need | None
    by_staff: bool = False

    @property
    def enabled(self) -> bool:
        """Where the switch stands."""
        return not self.against

    @property
    def available(self) -> bool:
        """Whether the account can have it now: the operator lets it, and nothing is missing."""
        return self.against != NOT_AVAILABLE and self.lacks is None

    @property
    def is_on(self) -> bool:
        """Whether it works."""
        return not self.code

    @property
    def code(self) -> str:
        """Why it does not work, for programs; "" when it does."""
        return self.against or (self.lacks.code if self.lacks else "")

    @property
    def words(self) -> str:
        """The same as the end of a sentence that begins with the feature's name."""
        return words_of(self.feature, self.code)


def words_of(one: Feature, code: str) -> str:
    """What ``code`` means, as the end of a sentence that begins with the feature's name."""
    if one.needs is not None and code == one.needs.code:
        return one.needs.words
    return _WORDS.get(code, "")


def account_id_of(account: UUID | HasId) -> UUID:
    """The id of an account or of its row."""
    return account if isinstance(account, UUID) else account.id


def staging() -> dict[str, tuple[str, int]]:
    """Stage and percent of every feature: the operator's, else as shipped."""
    changed = FeatureStage.objects.exclude(changed_at=None).values_list("feature", "stage", "percent")
    found = {name: (stage, percent) for name, stage, percent in changed}
    return {one.name: found.get(one.name, (str(one.stage), one.percent)) for one in features()}


def choices_of(account_id: UUID) -> dict[str, bool]:
    """What the account chose, by feature (in its scope or the platform's)."""
    return dict(FeatureChoice.objects.filter(account_id=account_id).values_list("feature", "enabled"))


def lacking(account_id: UUID) -> frozenset[str]:
    """The codes of what features need and the account does not have."""
    needs = {one.needs.code: one.needs for one in features() if one.needs is not None}
    return frozenset(code for code, need in needs.items() if not need.met(account_id))


def in_scope_of(account_id: UUID) -> Any:
    """A context in which the account's rows can be read: the one that is open, or one of its own."""
    return nullcontext() if current_account_id() == account_id else tenant(account_id)


def states_of(account: UUID | HasId, page: str = "") -> list[FeatureState]:
    """Every feature (of ``page``) for an account, as it is now."""
    account_id = account_id_of(account)
    with in_scope_of(account_id):
        stages, choices, missing = staging(), choices_of(account_id), lacking(account_id)
        by_staff = set(
            FeatureChoice.objects.filter(account_id=account_id, by_staff=True).values_list("feature", flat=True)
        )
    found = [_state(one, account_id, stages, choices, missing) for one in features(page)]
    return [replace(state, by_staff=state.feature.name in by_staff) for state in found]


def state_of(name: str, account: UUID | HasId) -> FeatureState:
    """One feature for an account, as it is now. Raises UnknownFeature."""
    wanted = feature(name)
    return next(state for state in states_of(account) if state.feature is wanted)


def _state(
    one: Feature, account_id: UUID, stages: Staging, choices: Mapping[str, bool], missing: frozenset[str]
) -> FeatureState:
    stage, percent = stages[one.name]
    choice = choices.get(one.name)
    against = reason_against(one.name, account_id, stage, percent, choice)
    lacks = one.needs if one.needs is not None and one.needs.code in missing else None
    return FeatureState(one, stage, percent, choice, against, lacks)
