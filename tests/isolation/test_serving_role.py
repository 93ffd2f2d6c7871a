"""What somebody can do who gets SQL of their own past us, as the role that serves (docs/security-model.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests import database
from tests.accounts.tenancy.conftest import connected_to
from tests.factories import make_account, make_contact
from tests.vault.table import MARK

pytestmark = [pytest.mark.covers("A-07", "V-06")]

OWNER, PLATFORM = "strongroom_owner", settings.PLATFORM_DATABASE_ROLE


@dataclass
class Break:
    """A database with two accounts, and a way in as the serving role."""

    name: str
    ours: Account
    theirs: Account


@pytest.fixture(scope="module")
def broken_into(django_db_setup: None, django_db_blocker: Any) -> Iterator[Break]:
    name = f"broken_into_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    database.create(name)
    with django_db_blocker.unblock(), connected_to(name):
        ours, theirs = make_account("Ours"), make_account("Theirs")
        for account in (ours, theirs):
            make_contact(account, name=MARK)
    yield Break(name, ours, theirs)
    database.drop(name)


@pytest.fixture
def session(broken_into: Break) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the serving role, in autocommit: it may do whatever it likes."""
    found = psycopg.conninfo.conninfo_to_dict(settings.DATABASE_URL)
    with psycopg.connect(**{**found, "dbname": broken_into.name}, autocommit=True) as connection:  # type: ignore[arg-type]
        yield connection


REFUSED = {
    "switching row security off": "SET row_security = off; SELECT count(*) FROM vault_contact",
    "taking it off the table": "ALTER TABLE vault_contact DISABLE ROW LEVEL SECURITY",
    "not forcing it": "ALTER TABLE vault_contact NO FORCE ROW LEVEL SECURITY",
    "another policy": "CREATE POLICY mine ON vault_contact USING (true)",
    "no policy": "DROP POLICY owner_only ON vault_contact",
    "another policy's text": "ALTER POLICY owner_only ON vault_contact USING (true)",
    "owning the table": "ALTER TABLE vault_contact OWNER TO CURRENT_USER",
    "being the owner": f"SET ROLE {OWNER}",
    "being the administrator": "SET ROLE postgres",
    "signing in as the owner": f"SET SESSION AUTHORIZATION {OWNER}",
    "emptying a table": "TRUNCATE vault_contact",
    "rewriting the trail": "UPDATE vault_auditentry SET action = 'x'",
    "removing from the trail": "DELETE FROM vault_auditentry",
    "emptying the trail": "TRUNCATE vault_auditentry",
    "switching the trail's triggers off": "ALTER TABLE vault_auditentry DISABLE TRIGGER ALL",
    "switching all triggers off": "SET session_replication_role = replica",
    "reading the operator's trail": "SELECT * FROM vault_platformauditentry",
    "moving the operator's head": "UPDATE vault_platformaudithead SET seq = 0",
    "a table of its own": "CREATE TABLE public.mine (x int)",
    "a table before ours": "CREATE TEMPORARY TABLE vault_contact (LIKE public.vault_contact)",
    "a schema of its own": "CREATE SCHEMA mine",
    "a function in its owner's name": "CREATE FUNCTION mine() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'",
    "another extension": "DROP EXTENSION vector",
    "a trigger": "CREATE TRIGGER t BEFORE INSERT ON vault_contact EXECUTE FUNCTION refuse_change()",
    "a rule": "CREATE RULE r AS ON INSERT TO vault_contact DO INSTEAD NOTHING",
    "an index": "CREATE INDEX ON vault_contact (id)",
    "the server's files": "SELECT pg_read_file('/etc/passwd')",
    "the server's programs": "COPY (SELECT 1) TO PROGRAM 'true'",
    "the server's settings": "ALTER SYSTEM SET log_statement = 'all'",
    "the passwords": "SELECT rolpassword FROM pg_authid",
    "a stronger role": "ALTER ROLE CURRENT_USER BYPASSRLS",
    "a role of its own": "CREATE ROLE mine",
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused(session: psycopg.Connection[Any], what: str) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        session.execute(REFUSED[what])  # type: ignore[arg-type]
    words = str(refusal.value)
    assert any(
        expected in words
        for expected in ("permission denied", "must be owner", "row-level security", "append-only", "superuser", "role")
    ), words


def test_it_can_give_its_rights_to_nobody(session: psycopg.Connection[Any]) -> None:
    session.execute("GRANT SELECT ON vault_contact TO PUBLIC")  # PostgreSQL warns and does nothing
    assert session.execute("SELECT has_table_privilege('public', 'vault_contact', 'SELECT')").fetchone() == (False,)


def test_without_a_scope_there_are_no_rows(session: psycopg.Connection[Any]) -> None:
    tables = session.execute("SELECT relname FROM pg_class WHERE relforcerowsecurity").fetchall()
    assert len(tables) > 10
    for (table,) in tables:
        assert session.execute(f'SELECT count(*) FROM "{table}"').fetchone() == (0,), table  # type: ignore[arg-type]


def test_statistics_tell_nothing_of_rows(session: psycopg.Connection[Any]) -> None:
    session.execute("SELECT 1")
    assert session.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'vault_contact'").fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
class TestWhatItDoesNotStop:
    """Row security holds back a forgotten filter, not who writes SQL: these work, and the paper says so."""

    def test_another_scope(self, session: psycopg.Connection[Any], broken_into: Break) -> None:
        session.execute("SELECT set_config('app.account_id', %s, false)", [str(broken_into.theirs.id)])
        assert session.execute("SELECT count(*) FROM vault_contact").fetchone() == (1,)

    def test_the_platform_role(self, session: psycopg.Connection[Any]) -> None:
        session.execute(f"SET ROLE {PLATFORM}")  # type: ignore[arg-type]
        assert session.execute("SELECT count(*) FROM vault_contact").fetchone() == (2,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("UPDATE vault_auditentry SET action = 'x'")

    def test_but_what_it_reads_is_sealed(self, session: psycopg.Connection[Any]) -> None:
        session.execute(f"SET ROLE {PLATFORM}")  # type: ignore[arg-type]
        rows = session.execute("SELECT to_jsonb(c)::text FROM vault_contact c").fetchall()
        assert len(rows) == 2
        for (row,) in rows:
            assert MARK not in row
            assert MARK.encode().hex() not in row
        keys = session.execute("SELECT wrapped_aead FROM vault_accountkeyset").fetchall()
        assert len(keys) == 2

    def test_and_it_leaves_nothing_on_a_connection_that_opens_a_later_scope(self, broken_into: Break) -> None:
        """Its settings end where a request's scope begins, also on the very same connection."""
        with connected_to(broken_into.name), connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {PLATFORM}")
            cursor.execute("SELECT set_config('app.account_id', %s, false)", [str(broken_into.theirs.id)])
            with tenant(broken_into.ours):
                assert {contact.account_id for contact in Contact.objects.all()} == {broken_into.ours.id}
                cursor.execute("SELECT count(*) FROM vault_contact")
                assert cursor.fetchone() == (1,)
