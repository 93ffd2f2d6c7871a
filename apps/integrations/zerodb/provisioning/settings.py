"""Changing what an account's project does."""

from __future__ import annotations

import copy
from typing import Any

from django.core.exceptions import ValidationError

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.features import FeatureOff
from apps.accounts.features.choosing import choose
from apps.accounts.permissions import require
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.embedding import UnknownModel, resolve_model
from apps.integrations.zerodb.provisioning.aligning import FEATURES
from apps.integrations.zerodb.provisioning.configuring import queue_settings

SAME_MATTER = (0.05, 0.95)
"""Between these an account may say how alike texts must be."""


def change_settings(project: AINativeProject, *, actor: Actor, **values: Any) -> AINativeProject:
    """Set any of embeddings_model, auto_indexing, same_matter_from and features; dimensions follow from the model.

    ``same_matter_from``: the cosine from which texts count as being about the same matter, None: as fits the model.

    A job sends them to the service; saving the same once more sends what could not be sent before. Features are the
    account's switches (apps/accounts/features); those not named keep their state. Raises PermissionDenied,
    ValidationError naming the field.
    """
    require(actor, "project.update")
    unknown = set(values) - {"embeddings_model", "vector_dimensions", "auto_indexing", "same_matter_from", "features"}
    if unknown:
        raise ValidationError(dict.fromkeys(unknown, "There is no such setting."))
    switches = _features(values["features"]) if "features" in values else {}
    before = copy.deepcopy(project.settings)
    after = copy.deepcopy(before)
    if "embeddings_model" in values:
        after |= _model(values["embeddings_model"])
    if "vector_dimensions" in values and values["vector_dimensions"] != after.get("vector_dimensions"):
        raise ValidationError(
            {"vector_dimensions": f"{after['embeddings_model']} has {after['vector_dimensions']} dimensions."}
        )
    if "auto_indexing" in values:
        after["auto_indexing"] = _switch("auto_indexing", values["auto_indexing"])
    if "same_matter_from" in values:
        after["same_matter_from"] = _cosine("same_matter_from", values["same_matter_from"])
    changes = {name: [before.get(name), after[name]] for name in after if before.get(name) != after[name]}
    if changes:
        project.settings = after
        project.save(update_fields=["settings", "updated_at"])
        audit.record("project.settings_changed", actor=actor, entity=project, changes=changes)
    if project.is_configured and (changes or project.error):
        queue_settings(actor)
    for name, enabled in switches.items():
        _switch_feature(project, name, enabled, actor)
    if switches:
        project.refresh_from_db(fields=["settings"])
    return project


def _switch_feature(project: AINativeProject, name: str, enabled: bool, actor: Actor) -> None:
    try:
        choose(name, enabled, account=project.account, actor=actor)
    except FeatureOff as refusal:
        raise ValidationError({f"features.{name}": str(refusal)}) from refusal


def _model(name: Any) -> dict[str, Any]:
    try:
        model = resolve_model(str(name))
    except UnknownModel as error:
        raise ValidationError({"embeddings_model": str(error)}) from error
    return {"embeddings_model": model.name, "vector_dimensions": model.dimensions}


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValidationError({name: "Must be true or false."})
    return value


def _cosine(name: str, value: Any) -> float | None:
    if value is None:
        return None
    lowest, highest = SAME_MATTER
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise ValidationError({name: f"Must be between {lowest} and {highest}, or nothing for what fits the model."})
    return round(float(value), 2)


def _features(values: Any) -> dict[str, bool]:
    if not isinstance(values, dict):
        raise ValidationError({"features": "Must be an object of switches."})
    for name in values:
        if name not in FEATURES:
            raise ValidationError({f"features.{name}": f"There is no such feature; there are {', '.join(FEATURES)}."})
    return {name: _switch(f"features.{name}", value) for name, value in values.items()}
