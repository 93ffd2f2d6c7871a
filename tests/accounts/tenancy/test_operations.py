"""The migration operations: what they make, that they undo it whole, and that they can be applied again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter
from django.db.models import deletion
from django.db.utils import IntegrityError, NotSupportedError, ProgrammingError

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.catalogue import key_faults, table_faults
from apps.accounts.tenancy.models import TenantForeignKey
from apps.accounts.tenancy.operations import AddTenantKey, PlatformTable, ProtectTable
from apps.accounts.tenancy.scope import current_account_id, tenant
from tests.accounts.tenancy.conftest import connected_to, raw
from tests.accounts.tenancy.shelves.models import Book, Shelf
from tests.factories import make_account

pytestmark = pytest.mark.covers("A-07")

APP, PLATFORM = settings.APP_DATABASE_ROLE, settings.PLATFORM_DATABASE_ROLE
EQUALITY = (
    "(account_id = ( SELECT (NULLIF(current_setting('app.account_id'::text, true), ''::text))::uuid AS \"nullif\"))"
)


@pytest.fixture
def owner(scratch: str) -> Iterator[None]:
    """Django works as the owner of a database of its own."""
    with connected_to(scratch, settings.MIGRATION_DATABASE_URL):
        yield


def state_of(table: str) -> dict[str, Any]:
    """Everything about a table that the operations touch, as PostgreSQL has it."""
    [(enabled, forced, table_owner)] = raw(
        "SELECT relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) FROM pg_class WHERE relname = %s", table
    )
    return {
        "enabled": enabled,
        "forced": forced,
        "owner": table_owner,
        "policies": raw(
            "SELECT polname, polcmd::text, polpermissive, "
            "ARRAY(SELECT pg_get_userbyid(r)::text FROM unnest(polroles) r WHERE r <> 0), "
            "pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) "
            "FROM pg_policy WHERE polrelid = %s::regclass ORDER BY polname",
            table,
        ),
        "keys": raw(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass "
            "AND contype IN ('p', 'u', 'f') ORDER BY conname",
            table,
        ),
        "triggers": raw(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal ORDER BY tgname", table
        ),
        "rights": raw(
            "SELECT grantee, string_agg(privilege_type, ' ' ORDER BY privilege_type) FROM "
            "information_schema.role_table_grants WHERE table_name = %s AND grantee = ANY(%s) GROUP BY 1 ORDER BY 1",
            table,
            [APP, PLATFORM],
        ),
    }


def database_state() -> dict[str, dict[str, Any]]:
    tables = raw("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    return {table: state_of(table) for (table,) in tables}


def migrate(*targets: tuple[str, str | None]) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))


class TestWhatItMakes:
    def test_the_policies(self, owner: None) -> None:
        assert state_of("shelves_book")["policies"] == [
            ("owner_only", "*", True, [], EQUALITY, EQUALITY),
            ("platform_all", "*", True, [PLATFORM], "true", "true"),
        ]

    def test_the_table(self, owner: None) -> None:
        state = state_of("shelves_book")
        assert (state["enabled"], state["forced"]) == (True, True)
        assert state["owner"] not in {APP, PLATFORM}
        rights = "DELETE INSERT SELECT UPDATE"
        assert state["rights"] == [(APP, rights), (PLATFORM, rights)]
        assert state["triggers"] == []

    def test_the_keys(self, owner: None) -> None:
        keys = dict(state_of("shelves_book")["keys"])
        assert keys["shelves_book_pkey"] == "PRIMARY KEY (account_id, id)"
        assert keys["shelves_book_shelf_id_same_owner"] == (
            "FOREIGN KEY (account_id, shelf_id) REFERENCES shelves_shelf(account_id, id) DEFERRABLE"
        )
        assert keys["shelves_book_follows_id_same_owner"] == (
            "FOREIGN KEY (account_id, follows_id) REFERENCES shelves_book(account_id, id) DEFERRABLE"
        )
        assert dict(state_of("shelves_shelf")["keys"])["shelf_name_once"] == "UNIQUE (account_id, name)"

    def test_a_table_that_only_grows(self, owner: None) -> None:
        state = state_of("vault_auditentry")
        assert state["rights"] == [(APP, "INSERT SELECT"), (PLATFORM, "INSERT SELECT")]
        assert state["triggers"] == [("append_only",), ("append_only_truncate",)]

    def test_a_table_of_the_operators(self, owner: None) -> None:
        assert state_of("vault_platformauditentry")["rights"] == [(PLATFORM, "INSERT SELECT")]
        assert state_of("vault_platformaudithead")["rights"] == [(PLATFORM, "DELETE INSERT SELECT UPDATE")]


class TestBackAndForth:
    def test_every_app_can_be_unmade_and_made_again(self, owner: None) -> None:
        """All the way down, and up again: the database is what it was."""
        before = database_state()
        last = MigrationExecutor(connection).loader.graph.leaf_nodes()
        ours = ["integrations", "vault", "shelves"]
        migrate(*[(app, None) for app in ours])
        assert not {table for table in database_state() if table.startswith(("vault_", "integrations_", "shelves_"))}
        migrate(*last)
        assert database_state() == before
        assert [*table_faults(), *key_faults()] == []

    def test_one_table_is_as_before_when_its_protection_is_undone(self, owner: None) -> None:
        """Book alone: made, protected, unprotected, protected."""
        graph = MigrationExecutor(connection).loader.graph
        after = graph.make_state([("shelves", "0001_initial")])
        protect = ProtectTable("book")
        protected = state_of("shelves_book")
        with connection.schema_editor() as editor:
            protect.database_backwards("shelves", editor, after, after)
        bare = state_of("shelves_book")
        assert (bare["enabled"], bare["forced"], bare["policies"]) == (False, False, [])
        keys = dict(bare["keys"])
        assert keys["shelves_book_pkey"] == "PRIMARY KEY (id)"
        assert not [name for name in keys if name.endswith("same_owner")]
        with connection.schema_editor() as editor:
            protect.database_forwards("shelves", editor, after, after)
        assert state_of("shelves_book") == protected

    def test_a_protection_that_fails_half_way_leaves_nothing(self, owner: None) -> None:
        """Applying it twice is refused, and refused whole."""
        after = MigrationExecutor(connection).loader.graph.make_state([("shelves", "0001_initial")])
        before = state_of("shelves_book")
        with pytest.raises(ProgrammingError, match="already exists"), connection.schema_editor() as editor:
            ProtectTable("book").database_forwards("shelves", editor, after, after)
        assert state_of("shelves_book") == before

    def test_what_only_grows_can_be_undone_too(self, owner: None) -> None:
        after = MigrationExecutor(connection).loader.graph.make_state([("vault", "0001_initial")])
        protect = ProtectTable("auditentry", append_only=True)
        before = state_of("vault_auditentry")
        with connection.schema_editor() as editor:
            protect.database_backwards("vault", editor, after, after)
        assert state_of("vault_auditentry")["triggers"] == []
        with connection.schema_editor() as editor:
            protect.database_forwards("vault", editor, after, after)
        assert state_of("vault_auditentry") == before

    @pytest.mark.parametrize(
        "operation",
        [
            ProtectTable("book"),
            ProtectTable("book", append_only=True),
            ProtectTable("book", column="owner_id", setting="app.caller_id"),
            AddTenantKey("book", "shelf"),
            PlatformTable("book"),
            PlatformTable("book", append_only=True),
        ],
        ids=lambda operation: OperationWriter(operation).serialize()[0].replace("\n", ""),
    )
    def test_a_migration_writes_it_as_it_is(self, operation: Any) -> None:
        """What squashing migrations writes is the same operation."""
        name, arguments, options = operation.deconstruct()
        again = type(operation)(*arguments, **options)
        assert (name, vars(again)) == (type(operation).__name__, vars(operation))
        assert operation.describe()
        assert operation.reversible


def fields(*references: tuple[str, Any]) -> list[tuple[str, Any]]:
    """A table's columns as a migration writes them."""
    account = models.ForeignKey(
        "accounts.Account", deletion.CASCADE, default=current_account_id, db_index=False, related_name="+"
    )
    key = models.UUIDField(primary_key=True, default=uuid7)
    return [("id", key), ("account", account), *references]


class TestAddTenantKey:
    """A reference that is added after its table was protected."""

    def applied(self, *operations: Any) -> tuple[ProjectState, ProjectState]:
        loader = MigrationExecutor(connection).loader
        before = loader.graph.make_state([("shelves", "0001_initial")])
        migration = migrations.Migration("0002_label", "shelves")
        migration.operations = list(operations)
        self.migration = migration
        with connection.schema_editor() as editor:
            after = migration.apply(before.clone(), editor)
        return before, after

    def test_it_ties_the_reference_and_can_be_undone(self, owner: None) -> None:
        before, _ = self.applied(
            migrations.CreateModel("Label", fields=fields()),
            ProtectTable("label"),
            migrations.AddField(
                "Label", "shelf", TenantForeignKey("shelves.Shelf", deletion.PROTECT, null=True, related_name="+")
            ),
            AddTenantKey("label", "shelf"),
        )
        keys = dict(state_of("shelves_label")["keys"])
        assert keys["shelves_label_shelf_id_same_owner"] == (
            "FOREIGN KEY (account_id, shelf_id) REFERENCES shelves_shelf(account_id, id) DEFERRABLE"
        )
        assert "shelves_label_shelf_id_fk" not in "".join(keys), "and no plain one beside it"
        with connection.schema_editor() as editor:
            self.migration.unapply(before.clone(), editor)
        assert raw("SELECT to_regclass('shelves_label')") == [(None,)]

    def test_without_it_the_check_complains(self, owner: None) -> None:
        self.applied(
            migrations.CreateModel(
                "Label", fields=fields(("shelf", TenantForeignKey("shelves.Shelf", deletion.PROTECT, related_name="+")))
            ),
        )
        assert any(fault.startswith("shelves_label: row security is not enabled") for fault in table_faults())


class TestReferences:
    """TenantForeignKey in the database: raw SQL of the serving role, in its own scope."""

    @pytest.fixture
    def two(self, db: None) -> Any:
        made = []
        for name in ("Ours", "Theirs"):
            account = make_account(name)
            with tenant(account):
                made.append((account, Shelf.objects.create(name=name)))
        return made

    def insert(self, account: Any, shelf: Any) -> None:
        raw(
            "INSERT INTO shelves_book (id, account_id, shelf_id, title, pages, created_at, updated_at) "
            "VALUES (gen_random_uuid(), %s, %s, 'x', 1, now(), now()) RETURNING id",
            account.id,
            shelf.pk if hasattr(shelf, "pk") else shelf,
        )

    def test_a_foreign_row_is_refused_as_a_missing_one_is(self, two: Any) -> None:
        (ours, shelf), (_, foreign) = two
        with tenant(ours):
            self.insert(ours, shelf)
            words = []
            for target in (foreign, uuid7()):
                with pytest.raises(IntegrityError, match="shelf_id_same_owner") as refusal, transaction.atomic():
                    self.insert(ours, target)
                words.append(str(refusal.value).replace(str(getattr(target, "pk", target)), "?"))
            assert words[0] == words[1], "the words tell nothing either"

    def test_a_reference_can_not_be_turned_to_a_foreign_row(self, two: Any) -> None:
        (ours, shelf), (_, foreign) = two
        with tenant(ours):
            Book.objects.create(shelf=shelf, title="x")
            with pytest.raises(IntegrityError, match="same_owner"), transaction.atomic():
                raw("UPDATE shelves_book SET shelf_id = %s RETURNING id", foreign.pk)
            with pytest.raises(IntegrityError), transaction.atomic():
                Book.objects.update(shelf=foreign)
            with pytest.raises(IntegrityError), transaction.atomic():
                Book.objects.create(shelf=foreign, title="y")

    def test_a_row_that_others_stand_on_can_not_go(self, two: Any) -> None:
        (ours, shelf), _ = two
        with tenant(ours):
            Book.objects.create(shelf=shelf, title="x")
            with pytest.raises(IntegrityError, match="same_owner"), transaction.atomic():
                raw("DELETE FROM shelves_shelf RETURNING id")

    def test_cascade_and_set_null(self, two: Any) -> None:
        (ours, shelf), (theirs, _) = two
        with tenant(ours):
            first = Book.objects.create(shelf=shelf, title="first")
            second = Book.objects.create(shelf=shelf, title="second", follows=first)
            first.delete()
            assert Book.objects.get().follows is None
            second.refresh_from_db()
            shelf.delete()
            assert not Book.objects.exists()
        with tenant(theirs):
            assert Shelf.objects.count() == 1

    @pytest.mark.parametrize("how", ["PROTECT", "RESTRICT", "SET_NULL", "CASCADE", "DO_NOTHING", "SET"])
    def test_every_way_of_deleting_what_is_referred_to(
        self, two: Any, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (ours, shelf), _ = two
        chosen = models.SET(lambda: None) if how == "SET" else getattr(models, how)
        monkeypatch.setattr(Book._meta.get_field("follows").remote_field, "on_delete", chosen)
        with tenant(ours):
            first = Book.objects.create(shelf=shelf, title="first")
            Book.objects.create(shelf=shelf, title="second", follows=first)
            match how:
                case "PROTECT" | "RESTRICT" | "DO_NOTHING":
                    refusals = (models.ProtectedError, models.RestrictedError, IntegrityError)
                    with pytest.raises(refusals), transaction.atomic():
                        first.delete()
                    assert Book.objects.count() == 2
                case "CASCADE":
                    first.delete()
                    assert not Book.objects.exists()
                case "SET_NULL" | "SET":
                    first.delete()
                    assert Book.objects.get(title="second").follows_id is None

    def test_a_long_chain_is_deleted_whatever_its_order(self, two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Django deletes a hundred at a time; some of those that refer are then older than what they refer to."""
        (ours, shelf), _ = two
        monkeypatch.setattr(Book._meta.get_field("follows").remote_field, "on_delete", models.CASCADE)
        with tenant(ours):
            books = [Book(shelf=shelf, title=str(number)) for number in range(250)]
            Book.objects.bulk_create(books)
            for book, next_book in pairwise(books):
                book.follows = next_book
            Book.objects.bulk_update(books, ["follows"])
            books[-1].delete()
            assert not Book.objects.exists()


def test_platform_tables_are_closed_to_the_serving_role(db: None) -> None:
    with pytest.raises((DatabaseError, NotSupportedError), match="permission denied"), transaction.atomic():
        raw("SELECT count(*) FROM vault_platformauditentry")
