"""Words that the team puts on conversations: making, changing and removing labels."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.names import check_name
from apps.accounts.permissions import require
from apps.chat.models import Label

FIELDS = ("name", "description", "colour")
_TAKEN = "Another label has this name."


def create_label(*, actor: Actor, **values: Any) -> Label:
    """Make a label with any of FIELDS. Raises PermissionDenied, ValidationError naming each wrong field."""
    require(actor, "labels.manage")
    label = Label()
    _set(label, values)
    _save(label, force_insert=True)
    audit.record("label.created", actor=actor, entity=label, label=label.name)
    return label


def update_label(label: Label, *, actor: Actor, **values: Any) -> Label:
    """Change any of FIELDS. Raises PermissionDenied, ValidationError naming each wrong field."""
    require(actor, "labels.manage")
    before = {name: getattr(label, name) for name in FIELDS}
    _set(label, values)
    changes = {name: [before[name], getattr(label, name)] for name in FIELDS if before[name] != getattr(label, name)}
    if changes:
        _save(label)
        audit.record("label.updated", actor=actor, entity=label, label=label.name, changes=changes)
    return label


def delete_label(label: Label, *, actor: Actor) -> None:
    """Remove a label, and take it off all conversations. Raises PermissionDenied."""
    require(actor, "labels.manage")
    audit.record(
        "label.deleted",
        actor=actor,
        entity=label,
        label=label.name,
        changes={"conversations": label.labellings.count()},
    )
    label.delete()


def _set(label: Label, values: dict[str, Any]) -> None:
    for name in FIELDS:
        if name in values:
            setattr(label, name, values[name].strip())
    label.clean_fields(exclude=["account"])
    check_name(label.name)


def _save(label: Label, **options: Any) -> None:
    try:
        with transaction.atomic():
            label.save(**options)
    except IntegrityError as error:
        raise ValidationError({"name": ValidationError(_TAKEN, code="unique")}) from error
