"""The one place that everything asks before it does what a feature is."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.features.cache import staging_now, switches_now
from apps.accounts.features.registry import Feature, feature
from apps.accounts.features.rollout import NOT_SWITCHED_ON, SWITCHED_OFF, reason_against
from apps.accounts.features.states import account_id_of, words_of
from apps.accounts.tenancy.scope import HasId


class FeatureOff(Exception):
    """A feature is not on for the account. ``code`` says why for programs, the text for people.

    ``code``: ``not_available`` (the operator has not let it out), ``switched_off`` (by the account),
    ``not_switched_on`` (by the account, which may), or the code of what it needs (``needs_project``).
    """

    def __init__(self, one: Feature, code: str) -> None:
        words = f"{one.label} {words_of(one, code)}."
        if code in {SWITCHED_OFF, NOT_SWITCHED_ON}:
            words += " Owners and admins can switch it on."
        super().__init__(words)
        self.feature, self.code = one, code


def is_on(name: str, account: UUID | HasId) -> bool:
    """Whether the account has the feature now; up to five seconds late. Needs no scope. Raises UnknownFeature."""
    return not reason_off(name, account)


def require_feature(name: str, account: UUID | HasId) -> None:
    """Raises FeatureOff unless the account has the feature now, UnknownFeature."""
    code = reason_off(name, account)
    if code:
        raise FeatureOff(feature(name), code)


def reason_off(name: str, account: UUID | HasId) -> str:
    """The code of why the account does not have the feature now; "" when it has. Raises UnknownFeature."""
    one, account_id = feature(name), account_id_of(account)
    choices, lacks = switches_now(account_id)
    stage, percent = staging_now()[name]
    against = reason_against(name, account_id, stage, percent, choices.get(name))
    if against:
        return against
    return one.needs.code if one.needs is not None and one.needs.code in lacks else ""
