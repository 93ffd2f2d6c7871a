"""Connections of all accounts in the admin: masked, filtered, tested and switched off after a question."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.outbound.breaker import close_all
from apps.integrations.services.connections import connect, switch
from apps.vault.models import AuditEntry
from tests.accounts.signin.people import enrol, sign_in_with_code, super_admin
from tests.factories import make_account

pytestmark = [pytest.mark.covers("I-06", "P-04"), pytest.mark.django_db(transaction=True)]
KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dcwxyz"
LIST = "admin:integrations_integration_changelist"


@pytest.fixture
def admin(transactional_db: None) -> Client:
    user = super_admin()
    enrol(user)
    client = Client()
    assert sign_in_with_code(client, user).status_code == 302
    return client


def connection(account: Account, **values: Any) -> Integration:
    with tenant(account):
        return connect(
            actor=Actor.system("tests"),
            category="payment",
            provider_name="stripe",
            credentials={"secret_key": KEY},
            **values,
        )


def page_of(row: Integration) -> str:
    return reverse("admin:integrations_integration_change", args=[row.pk])


def doing(row: Integration, name: str) -> str:
    return reverse("admin:integrations_integration_do", args=[row.pk, name])


def test_staff_find_connections_of_all_accounts_by_service_and_state(admin: Client) -> None:
    ann, ben = make_account("Ann & Co"), make_account("Ben Ltd")
    connection(ann)
    row = connection(ben, name="Berlin")
    with tenant(ben):
        switch(row, on=False, actor=Actor.system("tests"))
    every = admin.get(reverse(LIST)).content.decode()
    assert "Ann &amp; Co" in every and "Stripe (Berlin)" in every and KEY not in every
    disabled = admin.get(reverse(LIST), {"state": "disabled", "provider": "stripe"}).content.decode()
    assert "Stripe (Berlin)" in disabled and page_of(row) in disabled
    assert disabled.count("/admin/integrations/integration/0") == 1
    found = admin.get(reverse(LIST), {"q": "Ben", "state": "connected"}).content.decode()
    assert "Stripe (Berlin)" not in found


def test_a_credential_is_masked_and_can_be_changed_nowhere(admin: Client) -> None:
    row = connection(make_account())
    page = admin.get(page_of(row)).content.decode()
    assert "••••••••wxyz" in page and KEY not in page
    assert 'name="credentials"' not in page and 'name="provider"' not in page
    assert admin.post(page_of(row), {"credentials": "{}"}).status_code == 403
    with tenant(row.account_id):
        assert Integration.objects.get(pk=row.pk).credential("secret_key") == KEY


def test_switching_off_is_asked_first_and_told_in_the_accounts_own_trail(admin: Client) -> None:
    row = connection(make_account())
    assert "Nothing calls it until" in admin.get(doing(row, "disable")).content.decode()
    with tenant(row.account_id):
        assert Integration.objects.get(pk=row.pk).enabled
    assert admin.post(doing(row, "disable")).status_code == 302
    with tenant(row.account_id):
        assert Integration.objects.get(pk=row.pk).status == "disabled"
        assert AuditEntry.objects.filter(action="integration.disabled", actor_kind="staff").count() == 1


def test_a_test_by_staff_says_what_it_found(admin: Client, httpserver: HTTPServer, settings: Any) -> None:
    close_all()
    settings.PROVIDER_URLS, settings.OUTBOUND_ALLOW = {"stripe": httpserver.url_for("/v1")}, ["localhost"]
    answer = Response(orjson.dumps({"error": {"message": "Invalid API Key provided"}}), status=401)
    httpserver.expect_request("/v1/balance").respond_with_response(answer)
    row = connection(make_account())
    page = admin.post(doing(row, "test"), follow=True).content.decode()
    assert "it does not work. Stripe: Invalid API Key provided" in page
    assert "Recent errors" in page and "credential_refused" in page
    assert admin.post(reverse("admin:index")).status_code in {200, 405}
    assert "Connections" in admin.get(reverse("admin:index")).content.decode()
