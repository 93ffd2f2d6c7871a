"""The demo's connections: in several states, of providers that exist, with no credential that anybody knows."""

from __future__ import annotations

import pytest

from apps.accounts.actors import Actor
from apps.accounts.demo.cast import COMPANIES
from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.demo.connections import CONNECTIONS, add_connections
from apps.integrations.models import Integration
from apps.integrations.providers import providers
from tests.factories import make_account

pytestmark = [pytest.mark.django_db]


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.slug)
def test_each_company_has_those_of_its_connections_whose_provider_there_is(company: object) -> None:
    account: Account = make_account()
    owner = Actor("user", None, "owner", Role.OWNER)
    with tenant(account):
        add_connections(account, company, owner)  # type: ignore[arg-type]
        made = list(Integration.objects.all())
    wanted = [entry for entry in CONNECTIONS[company.slug] if entry.provider in providers()]  # type: ignore[attr-defined]
    assert len(made) == len(wanted)
    for row in made:
        assert row.definition.clean_credentials(row.credentials) == row.credentials
        assert row.definition.clean_settings(row.settings) == row.settings
        for name, value in row.credentials.items():
            field = row.definition.credential(name)
            assert field is not None and (not field.secret or "demo" in value or set(value[:28]) == {"d"})


def test_the_demo_shows_connections_that_work_that_fail_and_that_are_switched_off() -> None:
    everything = [made for connections in CONNECTIONS.values() for made in connections]
    states = {made.condition if made.enabled else "disabled" for made in everything}
    assert {"connected", "expired", "reauth_required", "not_configured", "disabled"} <= states
