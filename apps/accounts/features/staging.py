"""The operator lets a feature out, step by step: setting its stage, and counting whom a stage reaches."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.features.cache import forget_staging
from apps.accounts.features.registry import feature, features
from apps.accounts.features.rollout import reason_against
from apps.accounts.features.states import staging
from apps.accounts.models import Account, FeatureChoice, FeatureStage, Stage
from apps.accounts.permissions import require
from apps.accounts.signals import feature_staged
from apps.accounts.tenancy.scope import platform


@dataclass(frozen=True)
class Reach:
    """How many accounts a stage switches a feature on for, of how many; and how many more and fewer than now.

    ``chose_on`` and ``chose_off`` are the accounts that decided for themselves, whatever the stage.
    """

    reached: int
    accounts: int
    gained: int
    lost: int
    chose_on: int
    chose_off: int

    @property
    def share(self) -> float:
        """In hundred."""
        return 100 * self.reached / self.accounts if self.accounts else 0.0


def stage_row(name: str) -> FeatureStage:
    """The row of a feature's stage (in the platform scope), made when there is none. Raises UnknownFeature."""
    shipped = feature(name)
    row, _ = FeatureStage.objects.get_or_create(
        feature=name, defaults={"stage": shipped.stage, "percent": shipped.percent}
    )
    return row


def stage_rows() -> None:
    """Make the rows that are missing (in the platform scope), so that a list shows every feature."""
    there = set(FeatureStage.objects.values_list("feature", flat=True))
    for one in features():
        if one.name not in there:
            stage_row(one.name)


def stage_now(name: str) -> tuple[str, int]:
    """Stage and percent of a feature: the operator's, else as shipped. Raises UnknownFeature."""
    return staging()[feature(name).name]


def reach(name: str, stage: str, percent: int) -> Reach:
    """Whom ``stage`` would reach (in the platform scope): one pass over all accounts. Raises UnknownFeature."""
    before_stage, before_percent = stage_now(name)
    choices = dict(FeatureChoice.objects.filter(feature=name).values_list("account_id", "enabled"))
    reached = accounts = gained = lost = 0
    for account_id in Account.objects.order_by().values_list("id", flat=True).iterator(chunk_size=10_000):
        choice = choices.get(account_id)
        then = not reason_against(name, account_id, stage, percent, choice)
        now = not reason_against(name, account_id, before_stage, before_percent, choice)
        accounts += 1
        reached += then
        gained += then and not now
        lost += now and not then
    chose_on = sum(choices.values())
    return Reach(reached, accounts, gained, lost, chose_on, len(choices) - chose_on)


def set_stage(name: str, *, stage: str, percent: int = 0, actor: Actor) -> FeatureStage:
    """Move a feature to ``stage``; ``percent`` counts in the stage "percent" alone. What accounts chose stays.

    Raises PermissionDenied, UnknownFeature, ValidationError naming the field.
    """
    require(actor, "features.stage")
    wanted = feature(name)
    if stage not in Stage.values:
        raise ValidationError({"stage": f"There is no such stage; there are {', '.join(Stage.values)}."})
    percent = percent if stage == Stage.PERCENT else 0
    if not 0 <= percent <= 100:
        raise ValidationError({"percent": "A share lies between 0 and 100 per cent."})
    with transaction.atomic(), platform("set a feature's stage"):
        stage_row(name)
        row = FeatureStage.objects.select_for_update().get(feature=name)
        before = stage_now(name)
        if before == (stage, percent):
            return row
        row.stage, row.percent, row.changed_at = stage, percent, timezone.now()
        row.save()
        forget_staging()
        changes = {"feature": name, "stage": [in_words(*before), in_words(stage, percent)]}
        audit.record("feature.staged", actor=actor, entity=row, label=wanted.label, changes=changes)
        feature_staged.send(sender=None, feature=name, actor=actor)
    return row


def in_words(stage: str, percent: int) -> str:
    """ "on, with opt-out", "25 % of accounts"."""
    return f"{percent} % of accounts" if stage == Stage.PERCENT else Stage(stage).label.lower()
