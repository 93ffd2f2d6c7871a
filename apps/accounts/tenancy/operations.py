"""Migration operations that build wall two."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.models import CompositePrimaryKey

from apps.accounts.tenancy.models import TenantForeignKey
from apps.accounts.tenancy.scope import ACCOUNT_WALL, Wall


def _walls() -> dict[str, Wall]:
    from apps.accounts.tenancy.registry import walls

    return walls()


class ProtectTable(Operation):
    """Row security, keys and grants of one owned table, all in one line of a migration.

    * ``ENABLE`` and ``FORCE ROW LEVEL SECURITY``; one policy for everybody (one equality, USING and WITH
      CHECK) and one for the platform role (``true``);
    * primary key ``(owner, id)``, unless the model has a composite one of its own, so that look-ups inside the
      owner and references use the same index and the table can be distributed by owner;
    * no statistics of the owner's column (see ``uncounted``);
    * a composite foreign key for each TenantForeignKey the model has at this point;
    * rights for the serving role and the platform role, never TRUNCATE. ``append_only`` leaves only
      SELECT and INSERT, and adds triggers that refuse UPDATE, DELETE and TRUNCATE to everyone.
    """

    reversible = True
    category = OperationCategory.SQL

    def __init__(
        self, model_name: str, *, column: str = "", setting: str = ACCOUNT_WALL.setting, append_only: bool = False
    ) -> None:
        self.model_name = model_name
        self.column = column
        self.setting = setting
        self.append_only = append_only

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        options: dict[str, Any] = {}
        if self.column:
            options["column"] = self.column
        if self.setting != ACCOUNT_WALL.setting:
            options["setting"] = self.setting
        if self.append_only:
            options["append_only"] = True
        return self.__class__.__name__, [self.model_name], options

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change: this is about the database alone."""

    def describe(self) -> str:
        return f"Put {self.model_name} behind row-level security"

    @property
    def migration_name_fragment(self) -> str:
        return f"protect_{self.model_name.lower()}"

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        q = editor.quote_name
        wall = _walls()[self.setting]
        table, column = q(model._meta.db_table), self.column or wall.column
        app, platform = q(settings.APP_DATABASE_ROLE), q(settings.PLATFORM_DATABASE_ROLE)
        rule = wall.policy(column)
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY owner_only ON {table} USING ({rule}) WITH CHECK ({rule})",
            f"CREATE POLICY platform_all ON {table} TO {platform} USING (true) WITH CHECK (true)",
        ]
        if column != "id":
            if not _has_composite_key(model):
                key = q(f"{model._meta.db_table}_pkey")
                statements.append(
                    f"ALTER TABLE {table} DROP CONSTRAINT {key}, "
                    f"ADD CONSTRAINT {key} PRIMARY KEY ({q(column)}, {q('id')})"
                )
            statements.append(uncounted(table, q(column)))
        statements += _rights(table, app, platform, self.append_only)
        for statement in statements:
            editor.execute(statement, params=None)
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey):
                editor.execute(_composite_key(editor, model, field, wall))

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        q = editor.quote_name
        wall = _walls()[self.setting]
        table, column = q(model._meta.db_table), self.column or wall.column
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey):
                editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {q(field.key_name)}")
        statements = [
            f"DROP POLICY platform_all ON {table}",
            f"DROP POLICY owner_only ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]
        if column != "id" and not _has_composite_key(model):
            key = q(f"{model._meta.db_table}_pkey")
            statements.append(
                f"ALTER TABLE {table} DROP CONSTRAINT {key}, ADD CONSTRAINT {key} PRIMARY KEY ({q('id')})"
            )
        if self.append_only:
            statements += [f"DROP TRIGGER append_only ON {table}", f"DROP TRIGGER append_only_truncate ON {table}"]
        for statement in statements:
            editor.execute(statement, params=None)


def _has_composite_key(model: Any) -> bool:
    """Whether the model says its own primary key, which then begins with the owner (``key_faults``)."""
    return isinstance(model._meta.pk, CompositePrimaryKey)


def uncounted(table: str, column: str) -> str:
    """The statement that keeps PostgreSQL from counting how many rows each owner has.

    When all owners it counted make up the whole table, the planner is sure that a new one has no row. Then every index
    that begins with the owner looks as good as the right one, and a look-up reads all rows of the account. Without
    the count it takes every owner for one of two hundred: the index that names more columns wins, or the ordered one.
    """
    return f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0"


class UncountOwners(Operation):
    """``uncounted`` for the owned tables that were protected before ProtectTable did it."""

    reversible = True
    category = OperationCategory.SQL

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change: this is about the database alone."""

    def describe(self) -> str:
        return "Forget how many rows each owner has"

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        q = editor.quote_name
        with editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname, a.attname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid "
                "JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' "
                "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY(%s) "
                "WHERE p.polname = 'owner_only'",
                [[wall.column for wall in _walls().values()]],
            )
            found = cursor.fetchall()
        for table, column in found:
            editor.execute(uncounted(q(table), q(column)), params=None)
            if editor.connection.pg_version >= 180000:  # what was counted stays until then
                editor.execute("SELECT pg_clear_attribute_stats('public', %s, %s, false)", [table, column])

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing to undo: the count was of no use."""


class AddTenantKey(Operation):
    """The composite reference of a TenantForeignKey that was added after its table was protected."""

    reversible = True
    category = OperationCategory.SQL

    def __init__(self, model_name: str, field_name: str, *, setting: str = ACCOUNT_WALL.setting) -> None:
        self.model_name = model_name
        self.field_name = field_name
        self.setting = setting

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change: this is about the database alone."""

    def describe(self) -> str:
        return f"Tie {self.model_name}.{self.field_name} to its own account"

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        editor.execute(_composite_key(editor, model, model._meta.get_field(self.field_name), _walls()[self.setting]))

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        name = editor.quote_name(model._meta.get_field(self.field_name).key_name)
        editor.execute(f"ALTER TABLE {editor.quote_name(model._meta.db_table)} DROP CONSTRAINT {name}")


def _rights(table: str, app: str, platform: str, append_only: bool) -> list[str]:
    if not append_only:
        return [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {app}, {platform}"]
    return [
        f"REVOKE ALL ON {table} FROM {app}, {platform}",
        f"GRANT SELECT, INSERT ON {table} TO {app}, {platform}",
        """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
             RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
           END $$""",
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def _composite_key(editor: Any, model: Any, field: Any, wall: Wall) -> str:
    q = editor.quote_name
    owner = q(wall.column)
    return (
        f"ALTER TABLE {q(model._meta.db_table)} ADD CONSTRAINT {q(field.key_name)} "
        f"FOREIGN KEY ({owner}, {q(field.column)}) "
        f"REFERENCES {q(field.related_model._meta.db_table)} ({owner}, {q('id')}) DEFERRABLE INITIALLY IMMEDIATE"
    )


class PlatformTable(Operation):
    """A table of the operator's own: the serving role can't touch it (or read it, unless ``readable``)."""

    reversible = True
    category = OperationCategory.SQL

    def __init__(self, model_name: str, *, append_only: bool = False, readable: bool = False) -> None:
        self.model_name = model_name
        self.append_only = append_only
        self.readable = readable

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change: this is about the database alone."""

    def describe(self) -> str:
        return f"Leave {self.model_name} to the platform role"

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        q = editor.quote_name
        table = q(to_state.apps.get_model(app_label, self.model_name)._meta.db_table)
        app, platform = q(settings.APP_DATABASE_ROLE), q(settings.PLATFORM_DATABASE_ROLE)
        for statement in _rights(table, app, platform, self.append_only):
            editor.execute(statement, params=None)
        editor.execute(f"REVOKE ALL ON {table} FROM {app}")
        if self.readable:
            editor.execute(f"GRANT SELECT ON {table} TO {app}")

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        """Rights go with the table, which the operation before this one drops."""
