"""How the API answers what a feature that is not on refuses."""

from __future__ import annotations

from apps.accounts.api.problems import Problem, declare_made
from apps.accounts.features.asking import FeatureOff
from apps.accounts.features.rollout import NOT_AVAILABLE


def status_of(error: FeatureOff) -> int:
    """403 for what the operator has not let out, 409 for what the account itself can change or waits for."""
    return 403 if error.code == NOT_AVAILABLE else 409


def _problem(error: FeatureOff) -> Problem:
    members = {"feature": error.feature.name, "reason": error.code}
    return Problem(status_of(error), "feature_off", str(error), members=members)


def declare_all() -> None:
    """At start-up."""
    declare_made(FeatureOff, "feature_off", _problem, title="This feature is not on for the account")
