"""SQL of deletions and updates that Django itself builds by id, past every manager.

``Model.delete()`` collects what hangs on a row and then goes by ``id IN (…)``. Ids are unique in an account alone, so
these statements get the condition of the scope too.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import compiler
from django.db.models.sql.where import AND

SQLCompiler = compiler.SQLCompiler
SQLInsertCompiler = compiler.SQLInsertCompiler
SQLAggregateCompiler = compiler.SQLAggregateCompiler


class SQLDeleteCompiler(compiler.SQLDeleteCompiler):
    """``DELETE`` inside the scope."""

    def as_sql(self) -> Any:  # type: ignore[override]
        _stay_inside(self.query)
        return super().as_sql()


class SQLUpdateCompiler(compiler.SQLUpdateCompiler):
    """``UPDATE`` inside the scope."""

    def as_sql(self) -> Any:  # type: ignore[override]
        _stay_inside(self.query)
        return super().as_sql()


def _stay_inside(query: Any) -> None:
    """Add the scope's condition where it is not there already."""
    from apps.accounts.tenancy.models import InScope  # the backend is loaded before there are models

    wall = getattr(query.model._default_manager, "wall", None)
    if wall is None or any(isinstance(getattr(child, "lhs", child), InScope) for child in query.where.children):
        return
    owner = next(field for field in query.model._meta.concrete_fields if field.attname == wall.column)
    query.where.add(InScope(owner.get_col(query.get_initial_alias()), wall), AND)
