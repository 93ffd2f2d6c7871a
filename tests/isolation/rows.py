"""A row of any owned model, made from its fields, so that tests walk all models without a list of them.

A model whose rows can't be made so (a check constraint, a meaning between fields) gets an entry in SPECIAL.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone
from pgvector.django import VectorField

from apps.accounts.identifiers import uuid7
from apps.accounts.models import Account, User
from apps.accounts.tenancy.models import OwnedQuerySet
from apps.accounts.tenancy.registry import owned_columns
from apps.accounts.tenancy.scope import ACCOUNT_WALL, Wall, owner_scope, platform
from apps.integrations.models import ZeroProject
from apps.integrations.zerodb.server.store import keys
from apps.integrations.zerodb.server.walls import CALLER_WALL, PROJECT_WALL
from tests.factories import make_account, make_user

_numbers = itertools.count(1)


def owned_models() -> list[type[models.Model]]:
    """Every model with an owner, by label."""
    owned = owned_columns()
    return sorted((model for model in apps.get_models() if model._meta.db_table in owned), key=lambda m: m._meta.label)


def wall_of(model: type[models.Model]) -> Wall:
    """The wall around a model's rows."""
    wall: Wall = model._default_manager.wall  # type: ignore[attr-defined]
    return wall


def make_owner(wall: Wall) -> Any:
    """A fresh owner of the kind that this wall separates (its ``id`` is what counts)."""
    if wall.setting == ACCOUNT_WALL.setting:
        return make_account()
    caller = keys.create_caller(f"caller {next(_numbers)}")
    if wall.setting == CALLER_WALL.setting:
        return caller
    if wall.setting == PROJECT_WALL.setting:
        with owner_scope(CALLER_WALL, caller.id):
            return make_row(ZeroProject)
    raise LookupError(f"Say in tests/isolation/rows.py how to make an owner for {wall.setting}.")


# Values that can't be guessed from a field alone: label → a function that gives some of the fields.
SPECIAL: dict[str, Callable[[], dict[str, Any]]] = {}


def make_row(model: type[models.Model]) -> Any:
    """A row in the scope; the one that is there, where an owner has exactly one."""
    found = model._default_manager.first()
    if found is not None:
        return found
    row = new_row(model)
    row.save(force_insert=True)
    return row


def new_row(model: type[models.Model]) -> Any:
    """The same, not saved."""
    values = SPECIAL.get(model._meta.label, dict)()
    for field in model._meta.concrete_fields:
        if field.name in values or field.primary_key or field.has_default() or field.null:
            continue
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            continue
        values[field.name] = _value(field)
    return model(**values)


def _value(field: Any) -> Any:
    if field.is_relation:
        return _related(field.related_model)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.TextField):  # encrypted ones say they are binary
        return f"x{next(_numbers)}"
    kind = field.get_internal_type()
    number = next(_numbers)
    match kind:
        case _ if isinstance(field, VectorField):
            return [1.0] + [0.0] * 383
        case "UUIDField":
            return uuid7()
        case "CharField" | "TextField" | "SlugField" | "EmailField" | "FileField":
            return f"x{number}"[: field.max_length or 40]
        case "BinaryField":
            return b"%032d" % number
        case "DateTimeField":
            return timezone.now()
        case "DateField":
            return timezone.now().date()
        case "BooleanField":
            return False
        case _ if "Integer" in kind:
            return 384 if field.name == "dimensions" else number
        case "DecimalField" | "FloatField":
            return number
    raise LookupError(f"Say in tests/isolation/rows.py (SPECIAL) what {field} holds.")


def _related(model: Any) -> Any:
    if model is User:
        return make_user()
    if model is Account:
        return Account.objects.get()
    if issubclass(model._default_manager._queryset_class, OwnedQuerySet):
        if wall_of(model).current.get() is None:
            with platform("find the owner that a row in a test refers to"):
                return model._default_manager.get(pk=PROJECT_WALL.current.get())
        return make_row(model)
    return model._default_manager.first() or _saved(new_row(model))


def _saved(row: Any) -> Any:
    row.save()
    return row
