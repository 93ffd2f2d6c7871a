"""The database backend (settings: ``ENGINE``)."""

from __future__ import annotations

from typing import Any

from django.db import NotSupportedError
from django.db.backends.postgresql import base, features, operations, schema
from psycopg import OperationalError, errors, pq

from apps.accounts.tenancy.postgresql.outstanding import OutstandingMixin


class DatabaseFeatures(features.DatabaseFeatures):
    """What PostgreSQL can do with our tables."""

    def allows_group_by_selected_pks_on_model(self, model: Any) -> bool:
        """``GROUP BY id`` alone covers the other columns where ``id`` is the whole key: not in owned tables.

        Without this, ``annotate(Count(…))`` of rows of an account is an error in SQL.
        """
        wall = getattr(model._default_manager, "wall", None)
        return bool(model._meta.managed and (wall is None or wall.column == model._meta.pk.column))


class DatabaseOperations(operations.DatabaseOperations):
    """How SQL is made."""

    compiler_module = "apps.accounts.tenancy.postgresql.compiler"


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """How migrations change tables."""

    def alter_field(self, model: Any, old_field: Any, new_field: Any, strict: bool = False) -> None:
        """Refuses to turn a plain column into an encrypted one, which ``ALTER TABLE`` would fill with plaintext bytes.

        Raises NotSupportedError.
        """
        if getattr(old_field, "opaque", False) != getattr(new_field, "opaque", False):
            raise NotSupportedError(
                f"{model._meta.label}.{new_field.name}: PostgreSQL can neither seal values nor open them. "
                "Add a column, copy the values through the model, and remove the old column."
            )
        super().alter_field(model, old_field, new_field, strict)


class DatabaseWrapper(OutstandingMixin, base.DatabaseWrapper):
    """A connection, which begins and ends scopes in as few round trips as can be."""

    features_class = DatabaseFeatures
    ops_class = DatabaseOperations
    SchemaEditorClass = DatabaseSchemaEditor

    def _commit(self) -> None:
        """To libpq at once: psycopg's own way around takes longer than PostgreSQL, at the end of every scope.

        The long way where somebody watches the statements, or where there may be no transaction to end.
        """
        if self.forget_scope():
            return
        session = self.connection
        if session is None or session.closed or self.queries_logged or session._pipeline is not None:
            super()._commit()  # type: ignore[misc]
            return
        with self.wrap_database_errors, session.lock:
            if session.pgconn.transaction_status == pq.TransactionStatus.IDLE:
                return
            result = session.pgconn.exec_(b"COMMIT")
            if session.closed:
                raise OperationalError("The database ended the connection.")
            if result.status != pq.ExecStatus.COMMAND_OK:
                raise errors.error_from_result(result)

    def _rollback(self) -> None:
        if not self.forget_scope():
            super()._rollback()  # type: ignore[misc]

    def close(self) -> None:
        """As Django's; a scope that PostgreSQL knows nothing of it need not learn of now."""
        self.forget_scope()
        super().close()
