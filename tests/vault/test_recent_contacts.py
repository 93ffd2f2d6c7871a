"""The short way to a page of contacts: prepared where that is safe, and the same rows either way."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.vault import prepared as statements
from apps.vault.recent_contacts import recent_page
from apps.vault.selectors import COLUMNS
from tests.factories import make_account, make_contact

pytestmark = [pytest.mark.covers("V-02", "O-04"), pytest.mark.django_db(transaction=True)]


def page(account: Account) -> list[Any]:
    return recent_page(account.id, COLUMNS, None, 10).rows


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%vault_contact%'")
        count: int = cursor.fetchone()[0]
    return count


@pytest.fixture
def account(transactional_db: None) -> Account:
    connection.close()
    return make_account()


def test_the_statement_is_prepared_once(account: Account) -> None:
    make_contact(account)
    for _ in range(3):
        with tenant(account):
            assert len(page(account)) == 1
            assert prepared() == 1


def test_one_prepared_in_an_account_answers_only_the_one_in_scope(account: Account) -> None:
    other = make_account()
    mine, theirs = make_contact(account), make_contact(other)
    for whose, contact in ((account, mine), (other, theirs), (account, mine)):
        with tenant(whose):
            assert [row[0] for row in page(whose)] == [contact.id]
    with tenant(account):
        assert page(other) == []


def test_nothing_is_prepared_behind_a_pooler_that_changes_the_process(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_contact(account)
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 1)
    with tenant(account):
        assert len(page(account)) == 1
        assert prepared() == 0


def test_it_survives_a_page_that_failed(account: Account) -> None:
    make_contact(account)
    with tenant(account):
        page(account)
    with pytest.raises(ZeroDivisionError), tenant(account):
        1 // len(page(account)[1:])
    with tenant(account):
        assert len(page(account)) == 1


def test_nobody_else_has_statements_prepared(account: Account) -> None:
    with tenant(account):
        page(account)
        session: Any = connection.connection
        assert session.prepare_threshold is None
    assert statements._kept[session].direct is True
