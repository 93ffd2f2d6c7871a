"""Tests that share a cast without seeing each other."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.accounts.models import Account, User
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from tests.factories import Cast, add_member, make_contact


@pytest.mark.parametrize("time", ["first", "second", "third"])
def test_each_test_finds_the_cast_as_it_was_made(time: str, cast: Cast) -> None:
    with platform("look at who is there in a test"):
        assert set(Account.objects.values_list("name", flat=True)) == {"Alice & Co", "Charlie Ltd"}
        assert User.objects.count() == 5
    assert (cast.account.name, cast.alice.name, len(cast.members)) == ("Alice & Co", "Alice", 4)
    cast.account.name = cast.alice.name = "Somebody else"
    with tenant(cast.account):
        cast.account.save()
    cast.alice.save()
    add_member(cast.account, Role.MEMBER)
    make_contact(cast.account)
    del cast.members[Role.VIEWER]


@pytest.mark.django_db
def test_a_test_that_does_not_ask_for_it_is_alone() -> None:
    with platform("look at who is there in a test"):
        assert not Account.objects.exists() and not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_has_a_cast_of_its_own(cast: Cast) -> None:
    assert not connection.in_atomic_block
    with tenant(cast.account):
        cast.account.name = "Alice & Daughters"
        cast.account.save()
    connection.close()
    with platform("look at who is there in a test"):
        assert set(Account.objects.values_list("name", flat=True)) == {"Alice & Daughters", "Charlie Ltd"}
