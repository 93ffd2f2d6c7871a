"""What tests of the trail share: things done for real, and a hand on the tables that the product does not have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connections

from apps.accounts.actors import Actor
from apps.accounts.audit import record
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from tests import database
from tests.factories import make_account


@pytest.fixture
def account(transactional_db: None) -> Account:
    """An account whose trail has five committed entries: the first of every account, and four notes."""
    made = make_account("Harbour & Pine")
    for number in range(1, 5):
        with tenant(made):
            record("note.written", actor=Actor.system("test"), label=f"note {number}", changes={"number": number})
    return made


@contextmanager
def _tampering() -> Iterator[psycopg.Connection[Any]]:
    with database.owner_connection(connections["default"].settings_dict["NAME"]) as connection:
        guarded = ("vault_auditentry", "vault_platformauditentry")
        for table in guarded:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE vault_audithead NO FORCE ROW LEVEL SECURITY")
        try:
            yield connection
        finally:
            for table in guarded:
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            connection.execute("ALTER TABLE vault_auditentry FORCE ROW LEVEL SECURITY")
            connection.execute("ALTER TABLE vault_audithead FORCE ROW LEVEL SECURITY")


@pytest.fixture
def as_owner() -> Iterator[psycopg.Connection[Any]]:
    """The database's owner with triggers and row security off: what an administrator who means harm can do."""
    with _tampering() as connection:
        yield connection
