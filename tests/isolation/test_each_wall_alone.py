"""Take one wall away, and the other still holds: for every owned model and every kind of statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


def check_reading(two: Two) -> None:
    """select and count: ours, and nothing of theirs by any question."""
    rows, theirs = two.manager(), two.their_row.pk
    with two.scope(two.ours):
        found = list(rows.all())
        assert found
        assert {getattr(row, two.wall.column) for row in found} == {two.ours.id}
        assert rows.count() == len(found)
        assert not rows.filter(pk=theirs).exists()
        assert rows.filter(pk=theirs).count() == 0
        assert list(rows.filter(pk__in=[theirs]).values_list("pk", flat=True)) == []
        assert rows.filter(**{two.wall.column: two.theirs.id}).count() == 0


def check_changing(two: Two) -> None:
    """update and delete: nothing of theirs is touched, by whatever way."""
    rows, theirs = two.manager(), two.their_row.pk
    name = next(
        field.attname
        for field in two.model._meta.concrete_fields
        if field.get_internal_type()
        in {"DateTimeField", "CharField", "TextField", "PositiveBigIntegerField", "BinaryField"}
        and not field.primary_key
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
    # What is theirs is there, as it was: also in the columns that an UPDATE of all rows would have touched.
    assert two.raw_rows() == two.before


def check_writing(two: Two, *errors: type[Exception]) -> None:
    """insert: a row in their name is refused, and so is giving them one of ours.

    A row with encrypted fields may be refused before it is sent: its ciphertexts open in their own place only.
    """
    with two.scope(two.ours):
        for key in (uuid7(), two.their_row.pk):
            forged = two.manager().get(pk=two.our_row.pk)
            forged._state.adding = True
            forged.pk = key
            setattr(forged, two.wall.column, two.theirs.id if two.wall.column != "id" else key)
            with pytest.raises(errors), transaction.atomic():
                two.manager().bulk_create([forged])
        if two.wall.column != "id":
            gift = two.manager().get(pk=two.our_row.pk)
            setattr(gift, two.wall.column, two.theirs.id)
            with pytest.raises((*errors, IntegrityError)), transaction.atomic():
                models.Model.save(gift, force_update=True)
    assert two.raw_rows() == two.before


@pytest.mark.django_db
@each_model
class TestTheDatabasesWallAlone:
    def test_reading(self, model: Model, request: pytest.FixtureRequest) -> None:
        two = Two(model)
        request.getfixturevalue("orm_wall_down")
        check_reading(two)

    def test_changing_and_deleting(self, model: Model, request: pytest.FixtureRequest) -> None:
        two = Two(model)
        request.getfixturevalue("orm_wall_down")
        check_changing(two)

    def test_writing(self, model: Model, request: pytest.FixtureRequest) -> None:
        two = Two(model)
        request.getfixturevalue("orm_wall_down")
        check_writing(two, ProgrammingError, DecryptionFailed)


@each_model
@pytest.mark.usefixtures("database_wall_down")
class TestTheOrmsWallAlone:
    def test_reading(self, model: Model) -> None:
        check_reading(Two(model))

    def test_changing_and_deleting(self, model: Model) -> None:
        check_changing(Two(model))

    def test_writing(self, model: Model) -> None:
        check_writing(Two(model), WrongScope, ProgrammingError)


@pytest.mark.usefixtures("database_wall_down")
def test_with_both_walls_down_it_leaks(request: pytest.FixtureRequest) -> None:
    """So that the tests above can fail: the same questions do find the other's row when nothing stands."""
    two = Two(Shelf)
    request.getfixturevalue("orm_wall_down")
    with pytest.raises(AssertionError):
        check_reading(two)
    with pytest.raises(AssertionError):
        check_changing(two)
