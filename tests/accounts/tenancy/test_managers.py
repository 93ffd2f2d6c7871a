"""Wall one: whatever way the ORM is used, a query begins inside the account in scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Avg, Count, Exists, F, OuterRef, Prefetch, Q, Subquery, Sum
from django.db.utils import IntegrityError

from apps.accounts.models import Account, Membership, User
from apps.accounts.tenancy.models import OwnedQuerySet, WrongScope
from apps.accounts.tenancy.registry import owned_columns
from apps.accounts.tenancy.scope import NoScope, platform, tenant
from tests.accounts.tenancy.conftest import raw, statements
from tests.accounts.tenancy.shelves.models import Book, Shelf
from tests.factories import add_member, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-07")]


@pytest.fixture
def stocked(ours: Account, theirs: Account) -> dict[str, Any]:
    """A shelf with two books in each account, one lent to the same person."""
    reader, made = make_user("reader@people.example"), {}
    for name, account in (("ours", ours), ("theirs", theirs)):
        with tenant(account):
            shelf = Shelf.objects.create(name=f"shelf of {name}")
            first = Book.objects.create(shelf=shelf, title=f"first of {name}", pages=100, reader=reader)
            second = Book.objects.create(shelf=shelf, title=f"second of {name}", pages=200, follows=first)
            made[name] = {"shelf": shelf, "first": first, "second": second}
    return {**made, "reader": reader}


@contextmanager
def refused(error: type[Exception]) -> Iterator[None]:
    """The block raises, and the transaction around it lives on."""
    with pytest.raises(error), transaction.atomic():
        yield


def titles(rows: Any) -> list[str]:
    return sorted(book.title for book in rows)


OURS = ["first of ours", "second of ours"]


def test_every_manager_of_every_owned_model_is_inside_the_wall() -> None:
    """No model has a way around, not even its base manager."""
    checked = 0
    for model in apps.get_models():
        if model._meta.db_table not in owned_columns():
            continue
        for manager in {*model._meta.managers, model._base_manager, model._default_manager}:
            with pytest.raises(NoScope):
                manager.all().exists()
            assert isinstance(manager.all(), OwnedQuerySet), f"{model._meta.label}.{manager.name} may insert anything"
            checked += 1
    assert checked > 10


READS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "all": lambda made: titles(Book.objects.all()),
    "iterator": lambda made: titles(Book.objects.iterator(chunk_size=1)),
    "filter": lambda made: titles(Book.objects.filter(pages__gt=0)),
    "or": lambda made: titles(Book.objects.filter(Q(title__contains="ours") | Q(title__contains="theirs"))),
    "exclude": lambda made: titles(Book.objects.exclude(title="none")),
    "union": lambda made: titles(Book.objects.filter(pages=100).union(Book.objects.filter(pages=200))),
    "combined": lambda made: titles(Book.objects.filter(pages=100) | Book.objects.filter(pages=200)),
    "in_bulk": lambda made: titles(Book.objects.in_bulk().values()),
    "values": lambda made: sorted(row["title"] for row in Book.objects.values("title")),
    "values_list": lambda made: sorted(Book.objects.values_list("title", flat=True)),
    "distinct": lambda made: sorted(Book.objects.values_list("title", flat=True).distinct()),
    "select_related": lambda made: titles(Book.objects.select_related("shelf", "follows", "reader", "account")),
    "prefetch_related": lambda made: titles(Shelf.objects.prefetch_related("books").get().books.all()),
    "prefetch_object": lambda made: titles(
        Shelf.objects.prefetch_related(Prefetch("books", queryset=Book.objects.order_by("title"))).get().books.all()
    ),
    "prefetch_from_a_person": lambda made: sorted(
        {book.title for user in User.objects.prefetch_related("borrowed_books") for book in user.borrowed_books.all()}
        | {"second of ours"}
    ),
    "related_manager": lambda made: titles(made["ours"]["shelf"].books.all()),
    "reverse_of_self": lambda made: sorted(
        [*titles(made["ours"]["first"].followers.all()), made["ours"]["second"].follows.title]
    ),
    "through_the_shelf": lambda made: titles(Book.objects.filter(shelf__name__contains="shelf")),
    "subquery": lambda made: titles(
        Book.objects.filter(shelf_id__in=Shelf.objects.filter(name__contains="shelf").values("id"))
    ),
    "exists": lambda made: titles(Book.objects.filter(Exists(Shelf.objects.filter(pk=OuterRef("shelf_id"))))),
    "annotated": lambda made: sorted(
        Book.objects.annotate(
            where=Subquery(Shelf.objects.filter(pk=OuterRef("shelf_id")).values("name")[:1])
        ).values_list("title", flat=True)
    ),
    "defer": lambda made: titles(Book.objects.defer("pages")),
    "only": lambda made: titles(Book.objects.only("pages")),
    "select_for_update": lambda made: titles(Book.objects.select_for_update()),
    "raw": lambda made: titles(Book.objects.raw("SELECT * FROM shelves_book")),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_it_reads_our_rows_and_no_others(
    read: Callable[[dict[str, Any]], Any], stocked: dict[str, Any], ours: Account
) -> None:
    with tenant(ours):
        assert read(stocked) == OURS


def test_aggregates_count_our_rows_alone(stocked: dict[str, Any], ours: Account) -> None:
    with tenant(ours):
        assert Book.objects.count() == 2
        assert Book.objects.exists()
        assert Book.objects.aggregate(n=Count("*"), sum=Sum("pages"), mean=Avg("pages")) == {
            "n": 2,
            "sum": 300,
            "mean": 150,
        }
        assert list(Shelf.objects.annotate(n=Count("books")).values_list("n", flat=True)) == [2]
        assert list(Shelf.objects.filter(books__pages__gt=50).distinct().values_list("name", flat=True)) == [
            "shelf of ours"
        ]
        assert [(shelf.name, shelf.n) for shelf in Shelf.objects.annotate(n=Count("books"))] == [("shelf of ours", 2)]
        assert [
            book.n for book in Book.objects.select_related("shelf").annotate(n=Count("followers")).order_by("n")
        ] == [
            0,
            1,
        ]
        assert Book.objects.earliest("pages").title == "first of ours"
        assert Book.objects.latest("pages").title == "second of ours"


def test_a_foreign_row_is_not_there(stocked: dict[str, Any], ours: Account) -> None:
    foreign = stocked["theirs"]["first"]
    with tenant(ours):
        with pytest.raises(Book.DoesNotExist):
            Book.objects.get(pk=foreign.pk)
        assert not Book.objects.filter(pk=foreign.pk).exists()
        assert Book.objects.filter(pk__in=[foreign.pk]).first() is None
        assert not Book.objects.contains(foreign)
        with pytest.raises(Book.DoesNotExist):
            foreign.refresh_from_db()
        assert list(stocked["theirs"]["shelf"].books.all()) == []


def test_a_foreign_row_cant_be_changed(stocked: dict[str, Any], ours: Account) -> None:
    foreign = stocked["theirs"]["first"]
    with tenant(ours):
        assert Book.objects.filter(pk=foreign.pk).update(title="stolen") == 0
        assert Book.objects.filter(title__contains="theirs").update(title="stolen") == 0
        foreign.title = "stolen"
        assert Book.objects.bulk_update([foreign], ["title"]) == 0
        with refused(WrongScope):
            foreign.save()
        with refused(WrongScope):
            foreign.save(force_insert=True)
        assert Book.objects.filter(pk=foreign.pk).delete()[0] == 0
    with platform("look at both"):
        assert titles(Book.objects.all()) == [*OURS[:1], "first of theirs", *OURS[1:], "second of theirs"]


def test_a_foreign_row_cant_be_deleted_by_its_instance(stocked: dict[str, Any], ours: Account, theirs: Account) -> None:
    foreign = stocked["theirs"]["second"]
    with tenant(ours):
        with refused(WrongScope):
            foreign.delete()
        with statements() as sent:
            Book(pk=foreign.pk, title="a guess").delete()
    assert all(str(ours.id).replace("-", "") in sql for sql in sent if sql.startswith("DELETE")), sent
    with tenant(theirs):
        assert Book.objects.filter(pk=foreign.pk).exists()


def test_rows_are_made_in_the_scope(ours: Account, theirs: Account) -> None:
    with tenant(ours):
        assert Shelf.objects.create(name="a").account_id == ours.id
        assert Shelf.objects.bulk_create([Shelf(name="b"), Shelf(name="c")])[0].account_id == ours.id
        assert Shelf.objects.get_or_create(name="d")[0].account_id == ours.id
        assert Shelf.objects.update_or_create(name="d", defaults={"name": "e"})[0].account_id == ours.id
        for attempt in (
            lambda: Shelf.objects.create(name="x", account=theirs),
            lambda: Shelf.objects.create(name="x", account_id=theirs.id),
            lambda: Shelf.objects.bulk_create([Shelf(name="y"), Shelf(name="x", account_id=theirs.id)]),
            lambda: Shelf.objects.get_or_create(name="x", defaults={"account": theirs}),
            lambda: Shelf.objects.bulk_create(
                [Shelf(name="x", account_id=theirs.id)],
                update_conflicts=True,
                unique_fields=["account", "name"],
                update_fields=["name"],
            ),
        ):
            with refused(WrongScope):
                attempt()
    with tenant(theirs):
        assert not Shelf.objects.exists()


def test_a_row_cant_change_hands(stocked: dict[str, Any], ours: Account, theirs: Account) -> None:
    with tenant(ours):
        with refused(WrongScope):
            Book.objects.update(account=theirs)
        with refused(WrongScope):
            Book.objects.update(account_id=theirs.id)
        mine = stocked["ours"]["first"]
        mine.account = theirs
        with refused(WrongScope):
            mine.save()
        with refused(WrongScope):
            mine.save(update_fields=["account"])
        with refused(WrongScope):
            Book.objects.bulk_update([mine], ["account"])
    with platform("move it all the same"), refused(WrongScope):
        Book.objects.update(account=theirs)


def test_related_managers_make_and_move_only_our_rows(stocked: dict[str, Any], ours: Account) -> None:
    foreign = stocked["theirs"]
    with tenant(ours):
        shelf = Shelf.objects.get()
        assert shelf.books.create(title="third of ours").account_id == ours.id
        shelf.books.update(pages=F("pages") + 1)
        shelf.books.filter(pk=foreign["first"].pk).delete()
        foreign["shelf"].books.update(pages=0)
        foreign["shelf"].books.all().delete()
    with platform("look at both"):
        assert dict(Book.objects.order_by("title").values_list("title", "pages")) == {
            "first of ours": 101,
            "first of theirs": 100,
            "second of ours": 201,
            "second of theirs": 200,
            "third of ours": 2,
        }


def test_deleting_cascades_inside_the_account(stocked: dict[str, Any], ours: Account, theirs: Account) -> None:
    with tenant(ours):
        deleted = Shelf.objects.get().delete()
        assert deleted[1] == {"shelves.Book": 2, "shelves.Shelf": 1}
    with tenant(theirs):
        assert Book.objects.count() == 2


def test_deleting_a_person_leaves_rows_of_accounts_and_takes_what_is_theirs_in_scope(
    stocked: dict[str, Any], ours: Account
) -> None:
    with platform("remove a person everywhere"):
        stocked["reader"].delete()
        assert Book.objects.count() == 4
        assert not Book.objects.exclude(reader=None).exists()


def test_joins_from_people_to_rows_of_accounts_stay_inside(
    stocked: dict[str, Any], ours: Account, theirs: Account
) -> None:
    """From a model that nobody owns, the join itself must hold the filter."""
    stranger = add_member(theirs, "viewer").user  # type: ignore[arg-type]
    with tenant(ours):
        with statements() as sent:
            assert not User.objects.filter(memberships__role="viewer", pk=stranger.pk).exists()
            assert User.objects.filter(borrowed_books__title__contains="theirs").count() == 0
            assert User.objects.filter(borrowed_books__title__contains="ours").count() == 1
            assert list(
                User.objects.filter(pk=stocked["reader"].pk)
                .annotate(n=Count("borrowed_books"))
                .values_list("n", flat=True)
            ) == [1]
            assert list(
                User.objects.filter(pk=stocked["reader"].pk).values_list("borrowed_books__title", flat=True)
            ) == ["first of ours"]
            assert not User.objects.filter(pk=stranger.pk).exclude(memberships=None).exists()
        literal = ours.id.hex
        assert all(literal in sql for sql in sent), [sql for sql in sent if literal not in sql]
    with pytest.raises(NoScope):
        User.objects.filter(memberships__role="viewer").exists()


def test_the_platform_sees_all_accounts(stocked: dict[str, Any], theirs: Account) -> None:
    with platform("count in a test"):
        assert Book.objects.count() == 4
        assert Membership.objects.filter(account=theirs).count() == 1
        assert User.objects.filter(borrowed_books__title__contains="theirs").count() == 1


def test_the_policy_alone_would_do_the_same(stocked: dict[str, Any], ours: Account) -> None:
    with tenant(ours):
        assert raw("SELECT count(*) FROM shelves_book") == [(2,)]
        assert raw("UPDATE shelves_book SET pages = 0 RETURNING id, title") != []
    with platform("look at both"):
        assert Book.objects.filter(pages=0).count() == 2


def test_references_never_lead_out_of_the_account(stocked: dict[str, Any], ours: Account) -> None:
    foreign = stocked["theirs"]
    with tenant(ours):
        mine = Book.objects.get(pk=stocked["ours"]["second"].pk)
        mine.follows_id = foreign["first"].pk
        with pytest.raises(Book.DoesNotExist):
            _ = mine.follows
        with refused(IntegrityError):
            mine.save()
