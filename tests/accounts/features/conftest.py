"""Switching features, in short words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.accounts.actors import Actor
from apps.accounts.features import Feature, FeatureState, declare, registry
from apps.accounts.features.choosing import choose
from apps.accounts.features.staging import set_stage
from apps.accounts.models import Account, Stage
from apps.accounts.tenancy.scope import tenant

OPERATOR = Actor.system("test")
NAME = "time_travel"


@pytest.fixture
def name() -> Iterator[str]:
    """A feature that needs nothing, shipped to everybody."""
    declare(Feature(NAME, "Time travel", "Answers before the question.", stage=Stage.ON))
    yield NAME
    del registry._features[NAME]


def stage(feature: str, to: str, percent: int = 0) -> None:
    set_stage(feature, stage=to, percent=percent, actor=OPERATOR)


def switch(account: Account, feature: str, enabled: bool | None, actor: Actor = OPERATOR) -> FeatureState:
    with tenant(account):
        return choose(feature, enabled, account=account, actor=actor)
