"""Contacts of an account that PostgreSQL has never counted are found by the right index all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from apps.accounts.models import Account
from apps.accounts.tenancy.registry import owned_columns
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from apps.vault.recent_contacts import ORDER
from tests import database
from tests.factories import make_account, make_contact

pytestmark = [pytest.mark.covers("V-02", "A-07"), pytest.mark.django_db(transaction=True)]

ROWS = 20_000
_FILL = """
INSERT INTO vault_contact (id, account_id, created_at, updated_at, contact_type, last_activity_at, email, email_index)
SELECT gen_random_uuid(), %(account)s, now(), now(), 'lead', now() - n * interval '1 minute',
       decode(md5(n || %(account)s::text), 'hex'), decode(md5(n || %(account)s::text), 'hex')
FROM generate_series(1, %(rows)s) n
"""


def fill(owner: psycopg.Connection[Any], account: Account) -> None:
    with owner.transaction():
        owner.execute("SELECT set_config('app.account_id', %s, true)", [str(account.id)])
        owner.execute(_FILL, {"account": account.id, "rows": ROWS})


@pytest.fixture
def uncounted(transactional_db: None) -> Iterator[tuple[Account, UUID]]:
    """An account whose contacts came after the last count, and the id of one of them."""
    account = make_account()
    with database.owner_connection(connection.settings_dict["NAME"]) as owner:
        owner.execute("ALTER TABLE vault_contact SET (autovacuum_enabled = false)")
        fill(owner, make_account())
        owner.execute("ANALYZE vault_contact")
        fill(owner, account)
        yield account, make_contact(account, email="zoe@mail.example").id
        owner.execute("ALTER TABLE vault_contact RESET (autovacuum_enabled)")


def plan(contacts: Any) -> tuple[list[str], str]:
    """The kinds of nodes in the plan of a queryset, and the condition of its index."""
    sql, params = contacts.values_list("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    nodes, waiting = [], [(found if isinstance(found, list) else json.loads(found))[0]["Plan"]]
    condition = ""
    while waiting:
        node = waiting.pop()
        nodes.append(node["Node Type"])
        condition = node.get("Index Cond", condition)
        waiting += node.get("Plans", [])
    return nodes, condition


def test_by_e_mail(uncounted: tuple[Account, UUID]) -> None:
    account, _ = uncounted
    with tenant(account):
        nodes, condition = plan(Contact.objects.with_email("zoe@mail.example"))
    assert "email_index = " in condition, nodes


def test_by_id(uncounted: tuple[Account, UUID]) -> None:
    account, contact_id = uncounted
    with tenant(account):
        nodes, condition = plan(Contact.objects.filter(pk=contact_id))
    assert "(id = " in condition, nodes


def test_a_page_by_recency_is_not_sorted(uncounted: tuple[Account, UUID]) -> None:
    account, _ = uncounted
    with tenant(account):
        nodes, _ = plan(Contact.objects.order_by(*(f"-{column}" for column in ORDER))[:51])
    assert "Sort" not in nodes


def test_no_owned_table_has_its_owners_counted(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE c.relkind = 'r' AND a.attstattarget IS DISTINCT FROM 0"
        )
        counted = set(cursor.fetchall())
    owned = {(table, column) for table, (column, _) in owned_columns().items() if column != "id"}
    assert owned
    assert not owned & counted
