"""Words that the team puts on conversations: making, changing and removing labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.names import check_name
from apps.accounts.permissions import allows, require
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


def labels_named(names: Iterable[str], *, actor: Actor) -> list[Label]:
    """The labels with these names, whatever their case; one that is missing is made by who may manage labels.

    Raises ValidationError naming the field ``labels``.
    """
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(name.strip().casefold(), name.strip())
    found = _by_name()
    if (missing := [key for key in wanted if key not in found]) and not allows(actor, "labels.manage"):
        words = f"There is no label {', '.join(sorted(wanted[key] for key in missing))}."
        raise ValidationError({"labels": ValidationError(words, code="not_found")})
    for key in missing:
        try:
            found[key] = create_label(actor=actor, name=wanted[key])
        except ValidationError as error:
            # Somebody else may just have made it.
            found = {**_by_name(), **found}
            if key not in found:
                words = f"“{wanted[key][:60]}” can't be the name of a label: {error.messages[0]}"
                raise ValidationError({"labels": ValidationError(words, code="invalid")}) from error
    return [found[key] for key in wanted]


def _by_name() -> dict[str, Label]:
    return {label.name.casefold(): label for label in Label.objects.all()}


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
