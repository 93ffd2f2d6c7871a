"""Addresses inside the operator's network: opened to one account, by the operator alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from pytest_httpserver import HTTPServer

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration, OpenedAddress
from apps.integrations.outbound.breaker import close_all
from apps.integrations.services.connections import connect
from apps.integrations.services.opened_addresses import open_address
from apps.integrations.services.trying import test_connection as try_connection
from apps.vault.models import AuditEntry
from tests.accounts.signin.people import enrol, sign_in_with_code, super_admin
from tests.factories import make_account

pytestmark = [pytest.mark.covers("I-10"), pytest.mark.django_db(transaction=True)]
SYSTEM = Actor.system("tests")
ADD = "admin:integrations_openedaddress_add"


@pytest.fixture
def admin(transactional_db: None) -> Client:
    rita = super_admin()
    enrol(rita)
    client = Client()
    assert sign_in_with_code(client, rita).status_code == 302
    return client


@pytest.fixture
def account(transactional_db: None) -> Account:
    return make_account("Harbour & Pine")


@pytest.fixture
def inside(httpserver: HTTPServer, settings: Any) -> str:
    """A service that lives on this machine, which nobody allowed."""
    close_all()
    settings.PROVIDER_URLS = {"stripe": httpserver.url_for("/v1")}
    settings.OUTBOUND_ALLOW = []
    httpserver.expect_request("/v1/balance").respond_with_json({"livemode": False})
    return f"{httpserver.host}:{httpserver.port}"


def tried(account: Account) -> str:
    """ "" when the connection's test reaches the service, else why not."""
    with tenant(account):
        row = Integration.objects.first() or connect(
            actor=SYSTEM,
            category="payment",
            provider_name="stripe",
            credentials={"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"},
        )
        return try_connection(row, actor=SYSTEM).message


def test_what_is_opened_to_one_account_stays_shut_to_the_others(
    admin: Client, account: Account, inside: str, httpserver: HTTPServer
) -> None:
    other = make_account("Other")
    assert "this machine" in tried(account)
    answer = admin.post(
        reverse(ADD), {"opened_to": str(account.pk), "address": inside, "reason": "Their own billing, ticket 812"}
    )
    assert answer.status_code == 302, answer.content.decode()
    assert tried(account) == ""
    assert "this machine" in tried(other)
    assert len(httpserver.log) == 1


def test_it_is_shut_again_and_the_account_reads_both(admin: Client, account: Account, inside: str) -> None:
    admin.post(reverse(ADD), {"opened_to": str(account.pk), "address": inside, "reason": "Ticket 812"})
    assert tried(account) == ""
    with tenant(account):
        row = OpenedAddress.objects.get()
    address = reverse("admin:integrations_openedaddress_do", args=[row.pk, "close"])
    assert b"refused from now on" in admin.get(address).content
    admin.post(address)
    assert "this machine" in tried(account)
    with tenant(account):
        entries = AuditEntry.objects.filter(action__startswith="outbound.").order_by("seq")
        assert [(entry.action, entry.actor_kind) for entry in entries] == [
            ("outbound.opened", "staff"),
            ("outbound.closed", "staff"),
        ]


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("", "This field is required."),
        ("http://crm.internal/", "is no network, address or host"),
        ("crm.internal:99999", "is no network, address or host"),
        ("0.0.0.0/0", "Open a network of /8 at the widest."),
    ],
)
def test_the_form_says_what_is_wrong(admin: Client, account: Account, address: str, rule: str) -> None:
    answer = admin.post(reverse(ADD), {"opened_to": str(account.pk), "address": address, "reason": "x"})
    assert answer.status_code == 200
    assert rule in answer.content.decode()
    with tenant(account):
        assert not OpenedAddress.objects.exists()


def test_twice_is_refused_with_a_message(admin: Client, account: Account) -> None:
    for _ in range(2):
        answer = admin.post(
            reverse(ADD), {"opened_to": str(account.pk), "address": "10.1.0.0/16", "reason": "x"}, follow=True
        )
    assert "It is open already." in answer.content.decode()


def test_no_owner_opens_anything(account: Account) -> None:
    owner = Actor("user", None, "ann@mail.example", Role.OWNER)
    with tenant(account), pytest.raises(PermissionDenied):
        open_address("10.1.0.0/16", reason="mine", actor=owner)
    with tenant(account), pytest.raises(ValidationError):
        open_address("10.1.0.0/16", reason=" ", actor=SYSTEM)
