"""Every way in which a wall can be down is found, and named in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, models, transaction
from django.test.utils import isolate_apps

from apps.accounts.tenancy import checks
from apps.accounts.tenancy.catalogue import key_faults, table_faults
from apps.accounts.tenancy.checks import WallDown, all_faults, model_faults, require_walls
from tests.accounts.tenancy.conftest import connected_to

pytestmark = pytest.mark.covers("A-07")

AsOwner = Callable[..., None]
APP, PLATFORM = settings.APP_DATABASE_ROLE, settings.PLATFORM_DATABASE_ROLE
EQUALITY = "account_id = (SELECT NULLIF(current_setting('app.account_id', true), '')::uuid)"
RECREATE = "DROP POLICY owner_only ON shelves_shelf; CREATE POLICY owner_only ON shelves_shelf "


def test_both_walls_stand(scratch: str) -> None:
    assert all_faults() == []
    require_walls()


PLANTED: dict[str, tuple[str, str]] = {
    "policy dropped": (
        "DROP POLICY owner_only ON shelves_shelf",
        "shelves_shelf: 0 policies for everybody, must be one",
    ),
    "row security disabled": (
        "ALTER TABLE shelves_shelf DISABLE ROW LEVEL SECURITY",
        "shelves_shelf: row security is not enabled",
    ),
    "not forced": (
        "ALTER TABLE shelves_shelf NO FORCE ROW LEVEL SECURITY",
        "shelves_shelf: row security is not forced",
    ),
    "policy with OR": (
        f"{RECREATE} USING ({EQUALITY} OR current_setting('app.admin', true) = 'on') WITH CHECK ({EQUALITY})",
        "shelves_shelf: policy owner_only is not the one equality",
    ),
    "policy that checks anything": (
        f"{RECREATE} USING ({EQUALITY}) WITH CHECK (true)",
        "shelves_shelf: policy owner_only is not the one equality",
    ),
    "policy without a check of its own": (
        f"{RECREATE} USING ({EQUALITY})",
        "shelves_shelf: policy owner_only is not the one equality",
    ),
    "policy on another setting": (
        f"{RECREATE} USING ({EQUALITY.replace('app.account_id', 'app.x')}) WITH CHECK ({EQUALITY})",
        "shelves_shelf: policy owner_only is not the one equality",
    ),
    "policy on another column": (
        f"{RECREATE} USING (id = (SELECT NULLIF(current_setting('app.account_id', true), '')::uuid)) "
        f"WITH CHECK ({EQUALITY})",
        "shelves_shelf: policy owner_only is not the one equality",
    ),
    "policy for reading alone": (
        f"{RECREATE} FOR SELECT USING ({EQUALITY})",
        "shelves_shelf: policy owner_only is not for all commands",
    ),
    "second policy": (
        "CREATE POLICY more ON shelves_shelf USING (true)",
        "shelves_shelf: 2 policies for everybody, must be one",
    ),
    "policy for the serving role": (
        f"CREATE POLICY mine ON shelves_shelf TO {APP} USING (true)",
        f"shelves_shelf: policy mine is for {APP}",
    ),
    "plain foreign key": (
        "ALTER TABLE shelves_book DROP CONSTRAINT shelves_book_shelf_id_same_owner",
        "shelves_book: shelf_id has no composite reference",
    ),
    "primary key without the owner": (
        "ALTER TABLE shelves_book DROP CONSTRAINT shelves_book_follows_id_same_owner, "
        "DROP CONSTRAINT shelves_book_pkey, ADD CONSTRAINT shelves_book_pkey PRIMARY KEY (id)",
        "shelves_book: shelves_book_pkey does not begin with account_id",
    ),
    "unique across accounts": (
        "ALTER TABLE shelves_shelf ADD CONSTRAINT names_once UNIQUE (name)",
        "shelves_shelf: names_once does not begin with account_id",
    ),
    "unique index across accounts": (
        "CREATE UNIQUE INDEX names_once ON shelves_shelf (name)",
        "shelves_shelf: names_once does not begin with account_id",
    ),
    "single-column reference between owned tables": (
        "CREATE UNIQUE INDEX bare ON shelves_shelf (id); ALTER TABLE shelves_book ADD CONSTRAINT bare_reference "
        "FOREIGN KEY (shelf_id) REFERENCES shelves_shelf (id)",
        "shelves_book: bare_reference can point into another account",
    ),
    "forgotten table": (
        "CREATE TABLE forgotten (id uuid PRIMARY KEY, account_id uuid)",
        "forgotten: row security is not enabled",
    ),
    "materialised view": (
        "CREATE MATERIALIZED VIEW everything AS SELECT * FROM shelves_shelf",
        "everything: row security does not reach materialised views",
    ),
    "view in its owner's name": (
        "CREATE VIEW everything AS SELECT * FROM shelves_shelf",
        "everything: row security does not reach",
    ),
    "table that is gone": ("DROP TABLE shelves_book", "shelves_book: the table does not exist"),
    "right to truncate": (
        f"GRANT TRUNCATE ON shelves_shelf TO {APP}",
        f"shelves_shelf: {APP} may TRUNCATE it",
    ),
}


@pytest.fixture
def undone_as_owner(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Django works as the owner of the tables, in a transaction that is rolled back."""
    name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock(), connected_to(name, settings.MIGRATION_DATABASE_URL), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", PLANTED)
def test_it_finds_a_planted_fault(name: str, undone_as_owner: None) -> None:
    assert [*table_faults(), *key_faults()] == []
    sql, words = PLANTED[name]
    with connection.cursor() as cursor:
        cursor.execute(sql)
    faults = [*table_faults(), *key_faults()]
    assert any(fault.startswith(words) for fault in faults), faults


def test_a_process_with_a_fault_does_not_start(scratch: str, as_owner: AsOwner) -> None:
    as_owner("DROP POLICY owner_only ON shelves_shelf")
    with pytest.raises(WallDown, match="does not start without isolation:\n- shelves_shelf: 0 policies"):
        require_walls()


def test_a_view_in_the_callers_name_is_fine(undone_as_owner: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW mine WITH (security_invoker=true) AS SELECT * FROM shelves_shelf")
    assert table_faults() == []


def test_the_command_says_what_is_wrong_and_fails(scratch: str, as_owner: AsOwner) -> None:
    out = StringIO()
    call_command("check_isolation", stdout=out)
    assert "Both walls stand" in out.getvalue()
    as_owner("ALTER TABLE shelves_shelf NO FORCE ROW LEVEL SECURITY")
    errors = StringIO()
    with pytest.raises((CommandError, SystemExit)) as refusal:
        call_command("check_isolation", stdout=errors, stderr=errors)
    assert "shelves_shelf" in errors.getvalue() + str(refusal.value)


class TestRoles:
    """The role that serves: made on purpose with one fault each, on a server of our own."""

    @contextmanager
    def role(self, superuser: str, database: str, attributes: str, *grants: str) -> Iterator[str]:
        """A role with a fault, and Django connected as it."""
        name, password = f"walls_{uuid4().hex[:10]}", uuid4().hex
        with psycopg.connect(superuser, autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' {attributes}")  # type: ignore[arg-type]
            try:
                for grant in grants:
                    admin.execute(grant.format(role=name))  # type: ignore[arg-type]
                with connected_to(database, f"postgres://{name}:{password}@x/{database}"):
                    yield name
            finally:
                admin.execute(f"DROP ROLE {name}")  # type: ignore[arg-type]

    STEP_UP = f"GRANT {PLATFORM} TO {{role}} WITH INHERIT FALSE, SET TRUE"

    def test_a_proper_role_has_no_fault(self, scratch: str, superuser: str) -> None:
        with self.role(superuser, scratch, "", self.STEP_UP):
            assert checks.role_faults() == []

    def test_a_superuser(self, scratch: str, superuser: str) -> None:
        with connected_to(scratch, superuser):
            assert checks.role_faults() == ["The database role postgres is a superuser."]

    def test_a_role_past_row_security(self, scratch: str, superuser: str) -> None:
        with self.role(superuser, scratch, "BYPASSRLS", self.STEP_UP) as name:
            assert checks.role_faults() == [f"The database role {name} is not bound by row security (BYPASSRLS)."]

    def test_a_role_that_could_become_a_superuser(self, scratch: str, superuser: str) -> None:
        with self.role(superuser, scratch, "", self.STEP_UP, "GRANT postgres TO {role} WITH INHERIT FALSE") as name:
            assert f"The database role {name} can become postgres, which is a superuser." in checks.role_faults()

    def test_a_role_that_inherits_the_platform_role(self, scratch: str, superuser: str) -> None:
        with self.role(superuser, scratch, "", f"GRANT {PLATFORM} TO {{role}} WITH INHERIT TRUE") as name:
            assert checks.role_faults() == [
                f"The database role {name} inherits {PLATFORM}: grant it WITH INHERIT FALSE."
            ]

    def test_a_role_that_may_not_step_up(self, scratch: str, superuser: str) -> None:
        with self.role(superuser, scratch, "") as name:
            assert checks.role_faults() == [f"The database role {name} may not SET ROLE {PLATFORM}."]

    def test_the_role_that_owns_the_tables(self, scratch: str) -> None:
        with connected_to(scratch, settings.MIGRATION_DATABASE_URL):
            assert any(" owns " in fault for fault in checks.role_faults())

    def test_a_role_that_could_become_the_owner(self, scratch: str, superuser: str) -> None:
        from config.database import from_url

        owner = from_url(settings.MIGRATION_DATABASE_URL)["USER"]
        with self.role(superuser, scratch, "", self.STEP_UP, f"GRANT {owner} TO {{role}} WITH INHERIT FALSE"):
            assert any(" owns " in fault for fault in checks.role_faults())

    def test_a_role_that_may_put_tables_before_the_real_ones(self, scratch: str, superuser: str) -> None:
        grants = (self.STEP_UP, f"GRANT TEMPORARY ON DATABASE {scratch} TO {{role}}")
        with self.role(superuser, scratch, "", *grants) as name:
            cure = f"REVOKE TEMPORARY ON DATABASE {scratch} FROM PUBLIC"
            assert checks.role_faults() == [
                f"The database role {name} may put temporary tables before the real ones: {cure}."
            ]
            with psycopg.connect(superuser, autocommit=True) as admin:
                admin.execute(f"REVOKE TEMPORARY ON DATABASE {scratch} FROM {name}")  # type: ignore[arg-type]

    def test_a_role_that_may_make_tables(self, scratch: str, superuser: str) -> None:
        with psycopg.connect(superuser, dbname=scratch, autocommit=True) as admin:
            admin.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        with self.role(superuser, scratch, "", self.STEP_UP) as name:
            assert [fault for fault in checks.role_faults() if "schema public" in fault] == [
                f"The database role {name} may make tables in the schema public: "
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC."
            ]

    @pytest.mark.parametrize(
        "setting", [f"role = '{PLATFORM}'", "app.account_id = 'x'", "search_path = 'mine'", "row_security = off"]
    )
    def test_a_role_whose_sessions_begin_with_a_scope(self, scratch: str, superuser: str, setting: str) -> None:
        """A role may give itself such settings: once is enough for every later connection."""
        grants = (self.STEP_UP, f"ALTER ROLE {{role}} SET {setting}")
        with self.role(superuser, scratch, "", *grants) as name:
            which = setting.split(" = ")[0]
            words = f"Sessions of the database role {name} begin with {which} set: ALTER ROLE … RESET it."
            assert words in checks.role_faults()

    def test_tables_that_belong_to_the_serving_role(self, scratch: str, superuser: str) -> None:
        with psycopg.connect(superuser, dbname=scratch, autocommit=True) as admin:
            admin.execute(f"ALTER TABLE shelves_shelf OWNER TO {APP}")  # type: ignore[arg-type]
        faults = all_faults()
        assert "shelves_shelf: it belongs to the role that serves." in faults
        assert any(" owns 1 tables (shelves_shelf" in fault for fault in faults)


class TestModels:
    """Faults of declarations, found before there is a table."""

    def faults_of(self, monkeypatch: pytest.MonkeyPatch, *extra: type[models.Model]) -> list[str]:
        known = checks.apps.get_models(include_auto_created=True)
        monkeypatch.setattr(checks.apps, "get_models", lambda include_auto_created=False: [*known, *extra])
        return model_faults()

    @isolate_apps("tests.accounts.tenancy.shelves")
    def test_a_model_that_is_not_placed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Stray(models.Model):
            class Meta:
                app_label = "shelves"

        assert self.faults_of(monkeypatch, Stray) == [
            "shelves.stray is neither owned by an account nor listed in tenancy/registry.py."
        ]

    def test_all_models_are_placed(self) -> None:
        assert model_faults() == []

    @isolate_apps("tests.accounts.tenancy.shelves")
    def test_a_plain_reference_to_an_owned_row(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.accounts.tenancy.shelves.models import Shelf

        class Note(models.Model):
            shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, related_name="+")

            class Meta:
                app_label = "shelves"

        assert "shelves.note.shelf refers to an owned row without TenantForeignKey." in self.faults_of(
            monkeypatch, Note
        )

    def test_a_manager_outside_of_the_wall(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.accounts.tenancy.shelves.models import Shelf

        way_around: Any = models.Manager()
        way_around.model, way_around.name = Shelf, "everything"
        monkeypatch.setattr(Shelf._meta, "managers", [*Shelf._meta.managers, way_around])
        assert model_faults() == ["shelves.shelf.everything is a manager outside of the wall."]

    def test_a_reference_that_can_be_followed_backwards(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.accounts.tenancy.shelves.models import Book

        field: Any = Book._meta.get_field("reader")
        monkeypatch.setattr(field, "__class__", models.ForeignKey)
        assert model_faults() == [
            "shelves.book.reader can be joined from rows that nobody owns: make it an OwnedForeignKey."
        ]


def test_the_catalogue_is_asked_and_not_our_models(scratch: str) -> None:
    """Independent of ``checks``: each table with an owner's column, as PostgreSQL has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, pg_get_userbyid(c.relowner),
                      (SELECT string_agg(pg_get_expr(p.polqual, p.polrelid) || '|' ||
                                         pg_get_expr(p.polwithcheck, p.polrelid), '') FROM pg_policy p
                       WHERE p.polrelid = c.oid AND p.polroles = '{0}')
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id'
               WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"""
        )
        tables = cursor.fetchall()
    assert len(tables) >= 9
    for name, protected, owner, policies in tables:
        if name == "socialaccount_socialtoken":
            continue
        assert protected, name
        assert owner != APP, name
        using, check = policies.split("|")
        assert using == check, name
        assert using.startswith("(account_id = ( SELECT (NULLIF(current_setting('app.account_id'::text, true)"), using
        assert " OR " not in using and "CASE" not in using, using
