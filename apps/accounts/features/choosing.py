"""An account switches a feature for itself."""

from __future__ import annotations

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.features.asking import FeatureOff
from apps.accounts.features.cache import forget_account
from apps.accounts.features.registry import feature
from apps.accounts.features.rollout import NOT_AVAILABLE
from apps.accounts.features.states import FeatureState, state_of
from apps.accounts.models import Account, FeatureChoice
from apps.accounts.permissions import require
from apps.accounts.signals import feature_chosen

_ACTIONS = {True: "feature.switched_on", False: "feature.switched_off", None: "feature.choice_withdrawn"}


def choose(name: str, enabled: bool | None, *, account: Account, actor: Actor) -> FeatureState:
    """Switch a feature on or off for the account in scope; None withdraws the choice, and the account follows the
    operator's stage again. What stands already so is no choice and leaves no trace.

    Raises PermissionDenied, UnknownFeature, FeatureOff when the operator has not let the feature out.
    """
    require(actor, "features.manage")
    wanted = feature(name)
    # One writer of an account's switches at a time: the second one sees what the first one chose.
    Account.objects.select_for_update(no_key=True).only("id").get(pk=account.pk)
    state = state_of(name, account)
    if enabled is None:
        if state.choice is None:
            return state
        FeatureChoice.objects.filter(feature=name).delete()
    else:
        if enabled == state.enabled:
            return state
        if state.against == NOT_AVAILABLE:
            raise FeatureOff(wanted, NOT_AVAILABLE)
        chosen = {"enabled": enabled, "by_staff": actor.kind == "staff"}
        FeatureChoice.objects.update_or_create(feature=name, defaults=chosen)
    forget_account(account.id)
    after = state_of(name, account)
    audit.record(
        _ACTIONS[enabled],
        actor=actor,
        label=wanted.label,
        changes={"feature": name, "choice": [state.choice, enabled], "stage": state.stage},
    )
    feature_chosen.send(sender=None, account_id=account.id, feature=name, actor=actor)
    return after
