"""Whether both walls stand: asked at start-up, by ``manage.py check_isolation`` and by the tests."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import Error, register

from apps.accounts.tenancy.catalogue import key_faults, table_faults
from apps.accounts.tenancy.models import OwnedQuerySet, TenantForeignKey, TenantModel
from apps.accounts.tenancy.references import OwnedForeignKey
from apps.accounts.tenancy.registry import GLOBAL_MODELS, owned_columns
from apps.accounts.tenancy.role_faults import role_faults


class WallDown(RuntimeError):
    """The product would serve without isolation; it refuses."""


def model_faults() -> list[str]:
    """Models that are neither owned nor listed as global, ways around the managers, references that could leak."""
    faults = []
    owned_tables = owned_columns()
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label_lower
        owned = model._meta.db_table in owned_tables
        if not owned and label not in GLOBAL_MODELS:
            faults.append(f"{label} is neither owned by an account nor listed in tenancy/registry.py.")
        if owned and label in GLOBAL_MODELS:
            faults.append(f"{label} is owned and listed as global.")
        if owned:
            faults += _manager_faults(model)
        faults += _reference_faults(model, owned)
    return faults


def _manager_faults(model: Any) -> list[str]:
    managers = {*model._meta.managers, model._base_manager}
    return [
        f"{model._meta.label_lower}.{manager.name} is a manager outside of the wall."
        for manager in managers
        if not issubclass(manager._queryset_class, OwnedQuerySet)
    ]


def _reference_faults(model: Any, owned: bool) -> list[str]:
    faults, owned_tables = [], owned_columns()
    for field in model._meta.local_fields:
        target: Any = field.related_model if field.is_relation else None
        if target is None:
            continue
        name = f"{model._meta.label_lower}.{field.name}"
        if issubclass(target, TenantModel):
            if not isinstance(field, TenantForeignKey):
                faults.append(f"{name} refers to an owned row without TenantForeignKey.")
        elif _joined_from_outside(field, owned, target._meta.db_table in owned_tables):
            faults.append(f"{name} can be joined from rows that nobody owns: make it an OwnedForeignKey.")
    return faults


def _joined_from_outside(field: Any, owned: bool, target_owned: bool) -> bool:
    """Whether a query that begins outside of the wall could come in through this reference, unfiltered."""
    return owned and not target_owned and not field.remote_field.hidden and not isinstance(field, OwnedForeignKey)


def all_faults() -> list[str]:
    """Everything that is wrong, in words; empty when both walls stand."""
    return [*model_faults(), *role_faults(), *table_faults(), *key_faults()]


def require_walls() -> None:
    """Called by every process that serves, before it does. Raises WallDown with all faults."""
    faults = all_faults()
    if faults:
        raise WallDown("Strongroom does not start without isolation:\n- " + "\n- ".join(faults))


@register("tenancy")
def models_are_placed(**_: Any) -> list[Error]:
    """System check: every model is owned or listed, so that nobody forgets."""
    return [Error(fault, id="tenancy.E001") for fault in model_faults()]
