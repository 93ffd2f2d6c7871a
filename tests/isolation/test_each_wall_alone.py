"""Take one wall away, and the other still holds: for every owned model and every kind of statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.db.utils import IntegrityError, ProgrammingError

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.models import InScope, OwnedQuerySet, WrongScope
from apps.accounts.tenancy.scope import owner_scope, platform
from apps.vault.keys import DecryptionFailed
from tests.accounts.tenancy.shelves.models import Shelf
from tests.isolation.rows import make_owner, make_row, owned_models, wall_of

pytestmark = pytest.mark.covers("A-07")

Model = type[models.Model]
each_model = pytest.mark.parametrize("model", owned_models(), ids=lambda model: model._meta.label)


@pytest.fixture
def orm_wall_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """The managers filter nothing and refuse nothing: what the ORM sends is what was asked."""
    monkeypatch.setattr(InScope, "as_sql", lambda self, compiler, connection, **extra: ("TRUE", []))
    monkeypatch.setattr(OwnedQuerySet, "_insert", models.QuerySet._insert)  # type: ignore[attr-defined]
    monkeypatch.setattr(OwnedQuerySet, "_update", models.QuerySet._update)  # type: ignore[attr-defined]
    monkeypatch.setattr(OwnedQuerySet, "update", models.QuerySet.update)


@contextmanager
def attempt() -> Iterator[None]:
    """Something that may be refused; the transaction around it lives on."""
    try:
        with transaction.atomic():
            yield
    except (ProgrammingError, WrongScope):
        pass


class Two:
    """Two owners with a row each, and what PostgreSQL says of theirs."""

    def __init__(self, model: Model) -> None:
        self.model, self.wall = model, wall_of(model)
        self.ours, self.theirs = make_owner(self.wall), make_owner(self.wall)
        with self.scope(self.ours):
            self.our_row = make_row(model)
        with self.scope(self.theirs):
            self.their_row = make_row(model)
        self.before = self.raw_rows()
        assert self.before, "the other owner must have a row, or nothing is tested"

    def scope(self, owner: Any) -> Any:
        return owner_scope(self.wall, owner.id)

    def raw_rows(self) -> list[Any]:
        """Their rows, read in the platform scope past the ORM."""
        sql = (
            f'SELECT to_jsonb(t)::text FROM "{self.model._meta.db_table}" t WHERE "{self.wall.column}" = %s ORDER BY 1'
        )
        with platform("compare rows in a test"), connection.cursor() as cursor:
            cursor.execute(sql, [self.theirs.id])
            return list(cursor.fetchall())

    def manager(self) -> Any:
        return self.model._base_manager


def seen_of_theirs(two: Two) -> list[str]:
    """Questions that show anything of theirs; and that ours are there, or nothing is asked."""
    rows, theirs = two.manager(), two.their_row.pk
    with two.scope(two.ours):
        ours = list(rows.all())
        assert ours
        answers: dict[str, Any] = {
            "all": {getattr(row, two.wall.column) for row in ours} != {two.ours.id},
            "count": rows.count() != len(ours),
            "exists": rows.filter(pk=theirs).exists(),
            "count by key": rows.filter(pk=theirs).count(),
            "keys": list(rows.filter(pk__in=[theirs]).values_list("pk", flat=True)),
            "by owner": rows.filter(**{two.wall.column: two.theirs.id}).count(),
        }
    return [question for question, answer in answers.items() if answer]


def rows_after_attempts(two: Two) -> list[Any]:
    """Their rows, after update and delete were tried on them in every way."""
    rows, theirs = two.manager(), two.their_row.pk
    name = next(
        field.attname
        for field in two.model._meta.concrete_fields
        if field.get_internal_type()
        in {"DateTimeField", "CharField", "TextField", "PositiveBigIntegerField", "BigIntegerField", "BinaryField"}
        and not field.primary_key
        and not getattr(field, "opaque", False)
    )
    value = getattr(two.their_row, name)
    ways: list[Callable[[], Any]] = [
        lambda: rows.filter(pk=theirs).update(**{name: value}),
        lambda: rows.all().update(**{name: value}),
        lambda: rows.filter(pk=theirs).delete(),
        lambda: rows.filter(pk=theirs)._raw_delete("default"),
        lambda: two.their_row.delete(),
        lambda: two.model(pk=theirs).delete(),
        lambda: rows.all().delete(),
    ]
    with two.scope(two.ours):
        for way in ways:
            with attempt():
                way()
    return two.raw_rows()


def written_in_their_name(two: Two, *errors: type[Exception]) -> list[str]:
    """Ways of inserting a row in their name, or giving them one of ours, that were not refused.

    A row with encrypted fields may be refused before it is sent: its ciphertexts open in their own place only.
    """
    taken = []
    with two.scope(two.ours):
        for key in (_fresh_key(two.our_row), two.their_row.pk):
            forged = two.manager().get(pk=two.our_row.pk)
            forged._state.adding = True
            forged.pk = key
            setattr(forged, two.wall.column, two.theirs.id if two.wall.column != "id" else forged.pk)
            if not _refused(partial(two.manager().bulk_create, [forged]), errors):
                taken.append("insert")
        if not _owner_is_key(two.model):  # else there is nothing to save that is not the key
            gift = two.manager().get(pk=two.our_row.pk)
            setattr(gift, two.wall.column, two.theirs.id)
            if not _refused(partial(models.Model.save, gift, force_update=True), (*errors, IntegrityError)):
                taken.append("gift")
    return taken


def _owner_is_key(model: Model) -> bool:
    return model._meta.pk.attname == wall_of(model).column or isinstance(model._meta.pk, models.CompositePrimaryKey)


def _fresh_key(row: Any) -> Any:
    return (*row.pk[:-1], uuid7()) if isinstance(row.pk, tuple) else uuid7()


def _refused(way: Callable[[], Any], errors: tuple[type[Exception], ...]) -> bool:
    try:
        with transaction.atomic():
            way()
    except errors:
        return True
    return False


@pytest.mark.django_db
@each_model
class TestTheDatabasesWallAlone:
    def test_reading(self, model: Model, request: pytest.FixtureRequest) -> None:
        two = Two(model)
        request.getfixturevalue("orm_wall_down")
        assert seen_of_theirs(two) == []

    def test_changing_and_deleting(self, model: Model, request: pytest.FixtureRequest) -> None:
        two = Two(model)
        request.getfixturevalue("orm_wall_down")
        assert rows_after_attempts(two) == two.before

    def test_writing(self, model: Model, request: pytest.FixtureRequest) -> None:
        two = Two(model)
        request.getfixturevalue("orm_wall_down")
        assert written_in_their_name(two, ProgrammingError, DecryptionFailed) == []
        assert two.raw_rows() == two.before


@each_model
@pytest.mark.usefixtures("database_wall_down")
class TestTheOrmsWallAlone:
    def test_reading(self, model: Model) -> None:
        assert seen_of_theirs(Two(model)) == []

    def test_changing_and_deleting(self, model: Model) -> None:
        two = Two(model)
        assert rows_after_attempts(two) == two.before

    def test_writing(self, model: Model) -> None:
        two = Two(model)
        assert written_in_their_name(two, WrongScope, ProgrammingError) == []
        assert two.raw_rows() == two.before


@pytest.mark.usefixtures("database_wall_down")
def test_with_both_walls_down_it_leaks(request: pytest.FixtureRequest) -> None:
    """So that the tests above can fail: the same questions do find the other's row when nothing stands."""
    two, another = Two(Shelf), Two(Shelf)
    request.getfixturevalue("orm_wall_down")
    assert set(seen_of_theirs(two)) == {"all", "exists", "count by key", "keys", "by owner"}
    assert "insert" in written_in_their_name(another, WrongScope, ProgrammingError, IntegrityError)
    assert rows_after_attempts(two) != two.before
