"""Models whose rows belong to an account (wall one), and references between them."""

from __future__ import annotations

from functools import cache
from typing import Any, Self

from django.db import connections, models, transaction
from django.db.models.expressions import Col, Expression, F
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.opaque import refuse_opaque
from apps.accounts.tenancy.scope import (
    ACCOUNT_WALL,
    NoScope,
    Wall,
    current_account_id,
    platform_reason,
)


class WrongScope(RuntimeError):
    """A row of one owner was about to be written in the scope of another."""


class InScope(Expression):
    """``<owner column> = '<owner in scope>'`` with the owner written in as a literal when SQL is made.

    Resolved at the last moment, so a queryset may be declared anywhere (form fields, class attributes)
    and still never runs without a scope: compiling it then raises NoScope. In the platform scope it is TRUE.
    """

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, column: str | F | Col, wall: Wall) -> None:
        super().__init__()
        self.column: Any = F(column) if isinstance(column, str) else column
        self.wall = wall

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Any) -> None:
        (self.column,) = exprs

    def as_sql(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        owner = self.wall.current.get()
        if owner is not None:
            column, params = compiler.compile(self.column)
            return f"{column} = %s", [*params, owner]
        if platform_reason() is not None:
            return "TRUE", []
        raise NoScope(
            f"No scope for rows owned through {self.wall.column}. Open one at the door: "
            "tenant(account) for one account, platform(reason) for the operator."
        )


def _scope(wall: Wall) -> Any:
    """In whose name queries are made now: an owner's id, the operator's reason, or None."""
    return wall.current.get() or platform_reason()


@cache
def _references_below(model: type[models.Model]) -> str:
    """The composite references that a deletion of rows of ``model`` may touch, as SQL lists them; "" when none."""
    names, found = set(), [model]
    for target in found:
        for relation in target._meta.related_objects:
            field: Any = relation.field
            if isinstance(field, TenantForeignKey) and field.key_name not in names:
                names.add(field.key_name)
                found.append(relation.related_model)
    return ", ".join(f'"{name}"' for name in sorted(names))


class OwnedQuerySet(models.QuerySet[Any]):
    """A queryset that refuses to insert another owner's row, and that keeps no rows for another scope."""

    wall: Wall = ACCOUNT_WALL

    @property
    def _result_cache(self) -> Any:
        """The rows found so far, for the scope they were found in: elsewhere the question is asked anew.

        So a queryset that lives longer than a request (of a form's field, of a class) never hands one owner's rows
        to another. Where no scope is open any more, what was read can still be shown.
        """
        rows = self.__dict__.get("_result_cache")
        here = _scope(self.wall)
        return rows if here is None or here == self.__dict__.get("_found_in") else None

    @_result_cache.setter
    def _result_cache(self, rows: Any) -> None:
        self.__dict__["_result_cache"] = rows
        self.__dict__["_found_in"] = None if rows is None else _scope(self.wall)

    def _insert(self, objs: Any, fields: Any, **options: Any) -> Any:
        owner = self.wall.current.get()
        if owner is None and platform_reason() is None:
            raise NoScope(f"No scope to write {self.model._meta.label} in.")
        attribute = self.wall.column
        for row in objs:
            if getattr(row, attribute) is None:
                setattr(row, attribute, owner)
            if owner is not None and getattr(row, attribute) != owner:
                raise WrongScope(f"{self.model._meta.label} of another owner written in this scope.")
        return super()._insert(objs, fields, **options)  # type: ignore[misc]

    _insert.alters_data = True  # type: ignore[attr-defined]
    _insert.queryset_only = False  # type: ignore[attr-defined]

    def order_by(self, *names: Any) -> Any:
        refuse_opaque(self, names, "ordered by")
        return super().order_by(*names)

    def distinct(self, *names: Any) -> Any:
        refuse_opaque(self, names, "compared")
        return super().distinct(*names)

    def _earliest(self, *names: Any) -> Any:
        refuse_opaque(self, names, "ordered by")
        return super()._earliest(*names)  # type: ignore[misc]

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> Any:
        if options.get("update_conflicts") and not {"id", "pk"} & set(options.get("unique_fields") or ()):
            # The row that stands has another id than the one whose values would be written over it.
            refuse_opaque(self, options.get("update_fields") or (), "written into another row")
        return super().bulk_create(objs, *args, **options)

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's, with what refers to the rows checked at the end: it deletes a hundred at a time, by id."""
        names = _references_below(self.model)  # type: ignore[arg-type]
        if not names:
            return super().delete()
        with transaction.atomic(using=self.db), connections[self.db].cursor() as cursor:
            cursor.execute(f"SET CONSTRAINTS {names} DEFERRED")
            deleted = super().delete()
            cursor.execute(f"SET CONSTRAINTS {names} IMMEDIATE")
            return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def update(self, **values: Any) -> int:
        refuse_opaque(self, [*values, *(value for value in values.values() if not isinstance(value, str))], "updated")
        if self.wall.column in values or self.wall.column.removesuffix("_id") in values:
            raise WrongScope(f"{self.model._meta.label} can't be moved to another owner.")
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def _update(self, values: Any) -> int:
        """What ``save()`` of a changed row comes to."""
        owner = self.wall.current.get()
        for field, _, value in values:
            if owner is not None and field.attname == self.wall.column and value != owner:
                raise WrongScope(f"{self.model._meta.label} can't be moved to another owner.")
        return super()._update(values)  # type: ignore[misc]

    _update.alters_data = True  # type: ignore[attr-defined]
    _update.queryset_only = False  # type: ignore[attr-defined]


class OwnedManager(models.Manager.from_queryset(OwnedQuerySet)):  # type: ignore[misc]
    """Default manager of owned models: every query starts inside the scope."""

    use_in_migrations = False
    wall: Wall = ACCOUNT_WALL

    def get_queryset(self) -> Any:
        queryset = super().get_queryset()
        queryset.query = _inside(self.model, self.wall).chain()
        return queryset


@cache
def _inside(model: type[models.Model], wall: Wall) -> Query:
    """The query that every other begins as a copy of: its only condition is compiled anew each time."""
    return models.QuerySet(model).filter(InScope(wall.column, wall)).query


class TenantQuerySet(OwnedQuerySet):
    """Rows of the account in scope."""


class TenantManager(OwnedManager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    """``Model.objects`` of everything an account owns."""

    @classmethod
    def of(cls, queryset: type[TenantQuerySet]) -> Self:
        """A tenant manager with the methods of ``queryset``."""
        return cls.from_queryset(queryset)()


class OwnedModel(models.Model):
    """What rows of every kind of owner share."""

    class Meta:
        abstract = True

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete this row if it is in the scope: Django itself would go by the bare id, past the managers.

        Raises WrongScope for a row that was loaded in another owner's scope.
        """
        manager = type(self)._base_manager
        owner = manager.wall.current.get()  # type: ignore[attr-defined]
        if owner is not None and getattr(self, manager.wall.column) != owner:  # type: ignore[attr-defined]
            raise WrongScope(f"{self._meta.label} of another owner deleted in this scope.")
        return manager.using(using).filter(pk=self.pk).delete()

    delete.alters_data = True  # type: ignore[attr-defined]


class TenantModel(OwnedModel):
    """A row that belongs to an account.

    The table's migration must end with ``ProtectTable`` (row security, composite primary key,
    composite references); ``manage.py check_isolation`` and the tests name a table without it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the table's primary key in PostgreSQL is (account_id, id).
    account = models.ForeignKey(
        "accounts.Account",
        on_delete=models.CASCADE,
        default=current_account_id,
        editable=False,
        db_index=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"


class TenantForeignKey(models.ForeignKey):
    """A reference between two rows of the same account.

    In the database it is the composite ``(account_id, x_id) → (account_id, id)``, made by ``ProtectTable``
    or ``AddTenantKey``: a row can never point into another account, and an attempt answers exactly as
    for a row that does not exist.
    """

    def __init__(self, to: Any, on_delete: Any, **options: Any) -> None:
        options["db_constraint"] = False
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs

    @property
    def key_name(self) -> str:
        """What the composite reference is called in the database."""
        return f"{self.model._meta.db_table}_{self.column}_same_owner"[:63]

    def get_joining_fields(self, reverse_join: bool = False) -> tuple[Any, ...]:
        """Joins compare the owner too: that is the primary key's first column, and the reference's."""
        mine, theirs = self.model._meta.get_field("account"), self.related_model._meta.get_field("account")
        owner = (theirs, mine) if reverse_join else (mine, theirs)
        return (owner, *super().get_joining_fields(reverse_join))
