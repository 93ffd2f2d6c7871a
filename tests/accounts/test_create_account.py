"""Creating an account makes everything an account needs, or nothing."""

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import Account, Membership
from apps.accounts.roles import Role
from apps.accounts.services.create_account import create_account
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.audit.verify import verify_trail
from apps.vault.models import AccountKeyset, AuditEntry
from tests.factories import make_account, make_user

pytestmark = [pytest.mark.django_db]


@pytest.mark.covers("A-01", "V-01", "V-06")
def test_it_has_an_owner_keys_and_a_whole_trail() -> None:
    owner = make_user("founder@people.example")
    account = create_account(name="Harbour & Pine", owner=owner)
    with tenant(account):
        assert account.slug == "harbour-pine"
        assert Membership.objects.get().role == Role.OWNER
        assert AccountKeyset.objects.count() == 1
        assert [entry.action for entry in AuditEntry.objects.all()] == ["account.created"]
        assert verify_trail(account.id).faults[0].kind == "anchor"  # nothing is committed inside a test


def test_two_of_the_same_name_get_two_addresses() -> None:
    first, second = make_account("Acme"), make_account("Acme")
    assert [first.slug, second.slug] == ["acme", "acme-2"]


def test_it_refuses_an_empty_name_and_leaves_nothing() -> None:
    with pytest.raises(ValidationError) as refusal:
        create_account(name="  ", owner=make_user())
    assert "name" in refusal.value.message_dict
    with platform("count in a test"):
        assert not Account.objects.exists()


def test_it_refuses_a_reserved_address() -> None:
    with pytest.raises(ValidationError, match="reserved"):
        create_account(name="Anything", slug="admin", owner=make_user())
