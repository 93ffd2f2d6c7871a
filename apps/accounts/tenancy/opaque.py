"""Columns that PostgreSQL holds and can't read: what may not be asked of them in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models
from django.db.models.expressions import F


def refuse_opaque(rows: models.QuerySet[Any], names: Iterable[Any], deed: str) -> None:
    """Raise FieldError for a name (or expression) that leads to a field whose values only its own code can read.

    Such a field says ``opaque = True``; what PostgreSQL holds of it means nothing to PostgreSQL.
    """
    for name in names:
        found = [name] if isinstance(name, str) else [str(each.name) for each in _parts(name) if isinstance(each, F)]  # type: ignore[attr-defined]
        for path in found:
            field = _field_at(rows, path.lstrip("-"))
            if getattr(field, "opaque", False):
                raise FieldError(
                    f"{rows.model._meta.label}.{path.lstrip('-')} is encrypted: it can't be {deed} in SQL."
                )


def _parts(expression: Any) -> Iterable[Any]:
    if isinstance(expression, F):
        return [expression]
    return expression.flatten() if hasattr(expression, "flatten") else []


def _field_at(rows: models.QuerySet[Any], path: str) -> Any:
    """The field that ``a__b__c`` ends at, or None when it is not one (an annotation of something else, "?")."""
    model: Any = rows.model
    found = None
    for step in path.split("__"):
        if found is None and step in rows.query.annotations:
            with suppress(FieldError):  # of mixed types: nothing of ours
                return getattr(rows.query.annotations[step], "output_field", None)
            return None
        try:
            found = model._meta.get_field(step)
        except FieldDoesNotExist:
            return found
        if found.is_relation:
            model = found.related_model
    return found
