"""Every way of asking the ORM for somebody else's rows, with PostgreSQL's wall down: wall one alone must hold."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.db.models import Count, Exists, FilteredRelation, Max, OuterRef, Prefetch, Q, Subquery, Sum
from django.db.models.functions import TruncDate
from django.forms import modelform_factory

from apps.accounts.models import Account, User
from apps.accounts.tenancy import consumers
from apps.accounts.tenancy.consumers import in_account
from apps.accounts.tenancy.models import WrongScope
from apps.accounts.tenancy.scope import NoScope, current_account_id, platform, tenant
from tests.accounts.tenancy.shelves.models import Book, Shelf
from tests.event_loops import synchronously
from tests.factories import make_account, make_user

pytestmark = [pytest.mark.covers("A-07"), pytest.mark.usefixtures("database_wall_down")]

OURS = ["first of ours", "second of ours"]


@dataclass
class World:
    """Two accounts, a shelf with two books in each; one person has borrowed the first book of both."""

    ours: Account
    theirs: Account
    reader: User
    shelf: Shelf
    first: Book
    foreign_shelf: Shelf
    foreign: Book


@pytest.fixture
def world(database_wall_down: None) -> World:
    ours, theirs, reader = make_account("Ours"), make_account("Theirs"), make_user()
    made = []
    for name, account in (("ours", ours), ("theirs", theirs)):
        with tenant(account):
            shelf = Shelf.objects.create(name=f"shelf of {name}")
            first = Book.objects.create(shelf=shelf, title=f"first of {name}", pages=100, reader=reader)
            Book.objects.create(shelf=shelf, title=f"second of {name}", pages=200, follows=first)
            made.append((shelf, first))
    (shelf, first), (foreign_shelf, foreign) = made
    return World(ours, theirs, reader, shelf, first, foreign_shelf, foreign)


def titles(rows: Any) -> list[str]:
    return sorted({row if isinstance(row, str) else row.title for row in rows})


def both() -> Any:
    """A condition that names rows of both accounts."""
    return Q(title__contains="ours") | Q(title__contains="theirs")


READS: dict[str, Callable[[World], Any]] = {
    "the base manager": lambda w: Book._base_manager.all(),
    "the default manager": lambda w: Book._default_manager.filter(both()),
    "using": lambda w: Book.objects.using("default").filter(both()),
    "db_manager": lambda w: Book.objects.db_manager("default").all(),
    "or of two querysets": lambda w: Book.objects.filter(title__contains="theirs") | Book.objects.all(),
    "and of two querysets": lambda w: Book.objects.filter(both()) & Book.objects.all(),
    "xor of two querysets": lambda w: Book.objects.filter(title__contains="theirs") ^ Book.objects.all(),
    "or in the condition": lambda w: Book.objects.filter(Q(pages__gt=0) | Q(account_id=w.theirs.id)),
    "not in the condition": lambda w: Book.objects.filter(~Q(account_id=w.ours.id) | Q(pages__gt=0)),
    "exclude": lambda w: Book.objects.exclude(account_id=w.theirs.id),
    "exclude over a reference": lambda w: Book.objects.exclude(follows__title="none"),
    "union": lambda w: Book.objects.filter(title__contains="theirs").union(Book.objects.all()),
    "intersection": lambda w: Book.objects.filter(both()).intersection(Book.objects.filter(both())),
    "difference": lambda w: Book.objects.filter(both()).difference(Book.objects.filter(pages=0)),
    "in_bulk": lambda w: Book.objects.in_bulk([w.foreign.pk, *Book.objects.values_list("pk", flat=True)]).values(),
    "iterator": lambda w: Book.objects.iterator(chunk_size=1),
    "dates": lambda w: OURS if len(Book.objects.annotate(d=TruncDate("created_at"))) == 2 else [],
    "select_for_update": lambda w: Book.objects.select_for_update(of=("self",)).select_related("shelf"),
    "values of a reference": lambda w: (
        Book.objects.values_list("follows__title", flat=True)
        .exclude(follows=None)
        .union(Book.objects.values_list("title", flat=True))
    ),
    "a subquery": lambda w: Book.objects.filter(shelf__in=Shelf.objects.filter(name__contains="shelf")),
    "a subquery with OuterRef": lambda w: Book.objects.filter(
        Exists(Book.objects.filter(reader=OuterRef("reader")).exclude(pk=None)) | Q(reader=None)
    ),
    "a subquery that selects": lambda w: Book.objects.annotate(
        other=Subquery(Book.objects.filter(reader=OuterRef("reader"), title__contains="theirs").values("title")[:1])
    ).filter(other=None),
    "an aggregate of references": lambda w: Book.objects.annotate(n=Count("shelf__books")).filter(n=2),
    "a filtered relation": lambda w: Book.objects.annotate(
        near=FilteredRelation("shelf__books", condition=Q(shelf__books__pages__gt=0))
    ).values_list("near__title", flat=True),
    "a reverse reference": lambda w: w.shelf.books.all(),
    "a reverse reference of theirs": lambda w: [*w.foreign_shelf.books.all(), *OURS],
    "a reference of theirs": lambda w: [*Book.objects.filter(follows=w.foreign), *OURS],
    "followers of theirs": lambda w: [*w.foreign.followers.all(), *OURS],
    "prefetch": lambda w: [
        book for shelf in Shelf.objects.prefetch_related("books__followers") for book in shelf.books.all()
    ],
    "prefetch of a queryset": lambda w: [
        book
        for shelf in Shelf.objects.prefetch_related(Prefetch("books", Book._base_manager.filter(both()), "found"))
        for book in shelf.found
    ],
    "prefetch for theirs": lambda w: [*_prefetched(w.foreign_shelf), *OURS],
    "prefetch from a person": lambda w: [
        *(book for user in User.objects.prefetch_related("borrowed_books") for book in user.borrowed_books.all()),
        "second of ours",
    ],
    "a person's reverse reference": lambda w: [*w.reader.borrowed_books.all(), "second of ours"],
    "a join from a person": lambda w: [
        *User.objects.filter(borrowed_books__pages__gt=0).values_list("borrowed_books__title", flat=True),
        "second of ours",
    ],
    "a subquery of a person's": lambda w: [
        *Book.objects.filter(reader__in=User.objects.filter(borrowed_books__title__contains="first")),
        "second of ours",
    ],
    "a subquery from a person": lambda w: [
        *User.objects.annotate(t=Max("borrowed_books__title")).exclude(t=None).values_list("t", flat=True),
        "second of ours",
    ],
    "next and previous": lambda w: [
        Book.objects.order_by("created_at")[0].get_next_by_created_at(),
        Book.objects.order_by("-created_at")[0].get_previous_by_created_at(),
    ],
    "a pickled query": lambda w: _from_pickle(Book.objects.filter(both()).query),
    "a pickled queryset": lambda w: pickle.loads(pickle.dumps(Book.objects.filter(both()))),
    "a sliced queryset": lambda w: Book.objects.order_by("-title")[0:10],
    "reversed": lambda w: Book.objects.order_by("title").reverse(),
    "none turned into all": lambda w: Book.objects.none() | Book.objects.all(),
    "async for": lambda w: synchronously(_collect)(Book.objects.filter(both())),
    "aiterator": lambda w: synchronously(_collect)(Book.objects.filter(both()).aiterator(chunk_size=1)),
}


def _prefetched(shelf: Shelf) -> list[Book]:
    models.prefetch_related_objects([shelf], "books")
    return list(shelf.books.all())


def _from_pickle(query: Any) -> Any:
    rows = Book.objects.all()
    rows.query = pickle.loads(pickle.dumps(query))
    return rows


async def _collect(rows: Any) -> list[Any]:
    return [row async for row in rows]


@pytest.mark.parametrize("way", READS)
def test_it_reads_our_rows_and_no_others(world: World, way: str) -> None:
    with tenant(world.ours):
        found = READS[way](world)
        assert titles(row for row in found if (row if isinstance(row, str) else row.title)) == OURS


SINGLE: dict[str, Callable[[World], Any]] = {
    "get": lambda w: Book.objects.get(pk=w.foreign.pk),
    "get by reference": lambda w: Book.objects.get(shelf=w.foreign_shelf, pages=100),
    "earliest": lambda w: Book.objects.filter(title__contains="theirs").earliest("title"),
    "refresh_from_db": lambda w: w.foreign.refresh_from_db(),
    "refresh_from_db with a queryset": lambda w: w.foreign.refresh_from_db(from_queryset=Book._base_manager.all()),
    "a deferred field": lambda w: _deferred(w.foreign).title,
    "the reference of a foreign row": lambda w: _bare(w.foreign).shelf,
    "aget": lambda w: synchronously(Book.objects.all().aget)(pk=w.foreign.pk),
    "get_or_create": lambda w: Book.objects.select_for_update().get(pk=w.foreign.pk),
}


def _bare(book: Book) -> Book:
    """The same row's keys, without what was loaded with it."""
    return Book(pk=book.pk, shelf_id=book.shelf_id, account_id=book.account_id)


def _deferred(book: Book) -> Book:
    return Book.from_db("default", ["id", "account_id"], [book.pk, book.account_id])


@pytest.mark.parametrize("way", SINGLE)
def test_a_foreign_row_is_not_there(world: World, way: str) -> None:
    with tenant(world.ours), pytest.raises((Book.DoesNotExist, Shelf.DoesNotExist)):
        SINGLE[way](world)


def test_nothing_about_them_can_be_counted(world: World) -> None:
    theirs = Book.objects.filter(title__contains="theirs")
    with tenant(world.ours):
        assert not theirs.exists()
        assert theirs.count() == 0
        assert theirs.first() is None
        assert theirs.last() is None
        assert not Book.objects.contains(world.foreign)
        assert Book.objects.aggregate(n=Count("pk"), s=Sum("pages"), m=Max("title")) == {
            "n": 2,
            "s": 300,
            "m": "second of ours",
        }
        assert synchronously(theirs.acount)() == 0
        assert synchronously(theirs.aexists)() is False
        assert world.foreign_shelf.books.count() == 0
        assert world.reader.borrowed_books.count() == 1
        assert User.objects.filter(pk=world.reader.pk).annotate(n=Count("borrowed_books")).get().n == 1
        assert User.objects.exclude(borrowed_books__title="first of theirs").filter(pk=world.reader.pk).exists()
        assert not User.objects.exclude(borrowed_books__title="first of ours").filter(pk=world.reader.pk).exists()
        assert "rows=2.00" in Book.objects.filter(pages__gt=0).explain(analyze=True)


def raw_titles() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM shelves_book")
        return sorted(title for (title,) in cursor.fetchall())


CHANGES: dict[str, Callable[[World], Any]] = {
    "update": lambda w: Book.objects.filter(both()).update(pages=0),
    "update of a reference": lambda w: Book.objects.filter(shelf__name="shelf of theirs").update(pages=0),
    "update through a reverse reference": lambda w: w.foreign_shelf.books.update(pages=0),
    "aupdate": lambda w: synchronously(Book.objects.filter(both()).aupdate)(pages=0),
    "bulk_update": lambda w: Book.objects.bulk_update([_changed(w.foreign)], ["pages"]),
    "save": lambda w: _changed(w.foreign).save(),
    "save of one field": lambda w: _changed(w.foreign).save(update_fields=["pages"]),
    "save in our name": lambda w: _claimed(w.foreign, w.ours).save(force_update=True),
    "save_base": lambda w: _changed(w.foreign).save_base(raw=True),
    "delete": lambda w: Book.objects.filter(both()).delete(),
    "delete of the instance": lambda w: w.foreign.delete(),
    "delete in our name": lambda w: _claimed(w.foreign, w.ours).delete(),
    "delete through a reverse reference": lambda w: w.foreign_shelf.books.all().delete(),
    "delete of what it stands on": lambda w: Shelf.objects.all().delete(),
    "delete of their shelf": lambda w: w.foreign_shelf.delete(),
    "update_or_create": lambda w: Book.objects.update_or_create(
        pk=w.foreign.pk, defaults={"pages": 0, "title": "third of ours", "shelf": Shelf.objects.get()}
    ),
    "set of a reverse reference": lambda w: w.foreign.followers.set([]),
    "clear of a reverse reference": lambda w: w.foreign.followers.clear(),
    "clear of a person's": lambda w: w.reader.borrowed_books.clear(),
    "add to a reverse reference": lambda w: w.foreign.followers.add(Book.objects.get(title="first of ours")),
    "a foreign shelf": lambda w: Book.objects.filter(title="first of ours").update(shelf=w.foreign_shelf),
    "deletion of a person": lambda w: w.reader.delete(),
}


def _changed(book: Book) -> Book:
    book.pages = 0
    return book


def _claimed(book: Book, account: Account) -> Book:
    book.account_id = account.id
    return _changed(book)


def their_rows(world: World) -> list[Any]:
    """Everything of theirs, as the tables have it; who borrowed what may change with the person."""
    with connection.cursor() as cursor:
        found = []
        for table in ("shelves_shelf", "shelves_book"):
            cursor.execute(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE account_id = %s ORDER BY id", [world.theirs.id]
            )
            found += cursor.fetchall()
        return found


@pytest.mark.parametrize("way", CHANGES)
def test_nothing_of_theirs_is_changed(world: World, way: str) -> None:
    before = their_rows(world)
    assert len(before) == 3
    with tenant(world.ours):
        try:
            with transaction.atomic():
                CHANGES[way](world)
                connection.check_constraints()
        except (WrongScope, ValidationError, models.ObjectDoesNotExist, transaction.TransactionManagementError):
            pass
        except Exception as error:
            if type(error).__name__ not in {"IntegrityError", "DatabaseError", "NotUpdated"}:
                raise
    assert their_rows(world) == before


@pytest.mark.parametrize("way", ["instance", "queryset", "cascade", "set null"])
def test_rows_that_share_an_id_are_told_apart(world: World, way: str) -> None:
    """Ids are unique in an account alone: Django's own deletions go by the id, and must not reach the other's row."""
    with tenant(world.ours):
        shelf = Shelf.objects.create(pk=world.foreign_shelf.pk, name="of the same id")
        book = Book.objects.create(pk=world.foreign.pk, shelf=shelf, title="of the same id")
        Book.objects.create(shelf=shelf, title="follows", follows=book)
    before = their_rows(world)
    with tenant(world.ours):
        match way:
            case "instance":
                book.delete()
            case "queryset":
                Book.objects.filter(title="of the same id").delete()
            case "cascade":
                shelf.delete()
            case "set null":
                Book.objects.filter(pk=book.pk).delete()
                assert Book.objects.get(title="follows").follows_id is None
    assert their_rows(world) == before
    with tenant(world.ours):
        assert Book.objects.filter(title="of the same id").count() == 0, "ours is gone, or nothing is proved"


def test_forms_offer_and_take_our_rows_alone(world: World) -> None:
    form_class = modelform_factory(Book, fields=["shelf", "title", "pages", "follows"])
    with tenant(world.ours):
        offered = str(form_class())
        assert "shelf of ours" in offered
        assert "theirs" not in offered
        values = {"shelf": world.foreign_shelf.pk, "title": "x", "pages": 1, "follows": world.foreign.pk}
        form = form_class(values)
        assert set(form.errors) == {"shelf", "follows"}
        missing = form_class({**values, "shelf": world.ours.id, "follows": world.ours.id})
        assert form.errors.as_json() == missing.errors.as_json(), "a foreign row and none are refused alike"


def test_uniqueness_tells_nothing_of_theirs(world: World) -> None:
    with tenant(world.ours):
        Shelf(name="shelf of theirs").full_clean()
        with pytest.raises(ValidationError):
            Shelf(name="shelf of ours").full_clean()


class TestScopesThatChange:
    def test_a_queryset_made_in_one_scope_reads_in_the_one_it_is_used_in(self, world: World) -> None:
        with tenant(world.theirs):
            waiting = Book.objects.filter(both()) | Book.objects.filter(pages=0)
        with tenant(world.ours):
            assert titles(waiting) == OURS

    def test_querysets_of_two_scopes_joined_read_in_the_last(self, world: World) -> None:
        with tenant(world.theirs):
            theirs = Book.objects.filter(pages__gt=0)
        with tenant(world.ours):
            assert titles(Book.objects.filter(pages__gt=0) | theirs) == OURS
            assert titles(Book.objects.filter(pages__gt=0).union(theirs)) == OURS
            assert titles(Book.objects.filter(pk__in=theirs)) == OURS

    @pytest.mark.parametrize("read", [list, len, bool, lambda rows: rows[0], lambda rows: rows.count(), repr])
    def test_rows_that_were_found_in_one_scope_are_not_shown_in_another(self, world: World, read: Any) -> None:
        """A queryset that lives longer than a request: of a class, a form, a closure."""
        waiting = Book.objects.order_by("title")
        with tenant(world.theirs):
            read(waiting)
            assert titles(waiting) == ["first of theirs", "second of theirs"]
        with tenant(world.ours):
            read(waiting)
            assert waiting[0].title == "first of ours"
            assert titles(waiting) == OURS
        with platform("read what was found in a scope"):
            assert len(waiting) == 4
        with tenant(world.ours):
            assert titles(waiting) == OURS

    def test_what_was_found_can_be_shown_after_its_scope(self, world: World) -> None:
        with tenant(world.ours):
            rows = Book.objects.order_by("title")
            assert len(rows) == 2
        assert titles(rows) == OURS

    def test_a_generator_that_outlives_its_scope_stops(self, world: World) -> None:
        def lines() -> Iterator[str]:
            for shelf in list(Shelf.objects.all()):
                yield from (book.title for book in shelf.books.all())

        with tenant(world.ours):
            running = lines()
        with pytest.raises(NoScope):
            next(running)
        with tenant(world.ours):
            running = lines()
            assert "ours" in next(running)
        with tenant(world.theirs):
            assert not [title for title in running if "theirs" in title]

    def test_an_iterator_that_is_read_on_in_another_scope_gives_no_row_of_it(self, world: World) -> None:
        with tenant(world.ours):
            running = Book.objects.order_by("title").iterator(chunk_size=1)
            assert next(running).title == "first of ours"
            with tenant(world.theirs):
                assert next(running).title == "second of ours"
                with pytest.raises(StopIteration):
                    next(running)


class TestThreadsAndTasks:
    def test_a_thread_begins_without_a_scope(self, world: World) -> None:
        with tenant(world.ours), ThreadPoolExecutor(1) as pool:
            assert pool.submit(current_account_id).result() is None
            with pytest.raises(NoScope):
                pool.submit(lambda: str(Book.objects.filter(pages=1).query)).result()

    def test_an_async_view_has_the_scope_for_one_call_alone(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def view() -> list[Any]:
            seen = [await in_account(world.ours.id, lambda: titles(Book.objects.all()))]
            seen.append(current_account_id())
            with pytest.raises(NoScope):
                await Book.objects.acount()
            seen += await asyncio.gather(
                in_account(world.theirs.id, lambda: Book.objects.count()),
                in_account(world.ours.id, lambda: titles(Book.objects.filter(both()))),
            )
            return seen

        # Its door hands the connection back, which in this test is the one with the world in it.
        monkeypatch.setattr(consumers, "close_old_connections", lambda: None)
        assert synchronously(view)() == [OURS, None, 2, OURS]
