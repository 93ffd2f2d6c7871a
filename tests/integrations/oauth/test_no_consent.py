"""What nobody consented to can't be disconnected: keys, bot tokens, an application's own grant."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.health import health_of
from apps.integrations.models import Integration
from apps.integrations.oauth.access import kind_of
from apps.integrations.oauth.kinds import PREFIX
from apps.integrations.services import connections
from apps.vault.models import AuditEntry, Token
from apps.vault.tokens import Grant, store
from tests.accounts.pages.conftest import signed_in
from tests.api_client import by_key
from tests.factories import Cast
from tests.integrations.oauth.zoho import OWN, OWNER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-09", "V-04")]

KEYS = {
    "hubspot": ("crm", {"api_key": "pat-eu1-0123456789"}, {}),
    "slack": ("communication", {"bot_token": "xoxb-1-2-abcdefghijkl"}, {}),
    "salesforce": ("crm", OWN, {"grant": "client_credentials"}),
}


def make(cast: Cast, name: str) -> Integration:
    category, credentials, settings = KEYS[name]
    with tenant(cast.account):
        row = connections.connect(
            actor=OWNER, category=category, provider_name=name, credentials=credentials, settings=settings
        )
        if name == "salesforce":
            now = timezone.now()
            store(kind_of(row), Grant("access-1", granted_at=now, expires_at=now + timedelta(hours=1)), actor=OWNER)
    return row


@pytest.mark.parametrize("name", KEYS)
def test_there_is_nothing_to_disconnect(cast: Cast, name: str) -> None:
    row = make(cast, name)
    with tenant(cast.account):
        before = Integration.objects.values().get()
        assert not health_of(row).by_consent
    refused = by_key(cast.account, Role.ADMIN).delete(f"integrations/{row.pk}/connect")
    assert (refused.status, refused.code) == (409, "no_consent")
    assert "disable the connection, or remove it" in refused.json["detail"]
    alice, page = signed_in(cast.alice), f"/app/{cast.account.slug}/integrations/{row.pk}/"
    shown = alice.get(page).content.decode()
    assert "Disconnect" not in shown
    assert "Consent by" not in shown
    assert "Sign in instead" in shown
    told = alice.post(f"{page}disconnect/", follow=True).content.decode()
    assert "none to take back" in told
    with tenant(cast.account):
        assert Integration.objects.values().get() == before
        assert Token.objects.count() == (name == "salesforce")
        assert not AuditEntry.objects.filter(action="integration.disconnected").exists()


def test_what_was_never_connected_is_not_disconnected(cast: Cast) -> None:
    with tenant(cast.account):
        row = connections.connect(actor=OWNER, category="crm", provider_name="hubspot", credentials=OWN)
    refused = by_key(cast.account, Role.ADMIN).delete(f"integrations/{row.pk}/connect")
    assert (refused.status, refused.code) == (409, "no_consent")


def test_a_key_in_the_place_of_consent_leaves_no_grant(cast: Cast) -> None:
    with tenant(cast.account):
        row = connections.connect(actor=OWNER, category="crm", provider_name="hubspot", credentials=OWN)
        store(f"{PREFIX}:{row.pk}", Grant("access-1", "refresh-1", granted_at=timezone.now()), actor=OWNER)
        connections.change(connections.lock_integration(row.pk), actor=OWNER, credentials=KEYS["hubspot"][1])
        assert not Token.objects.exists()


def test_removing_an_applications_own_grant_leaves_its_connection_connected(cast: Cast) -> None:
    """It gets another one with the next call."""
    row = make(cast, "salesforce")
    assert by_key(cast.account, Role.ADMIN).delete(f"tokens/{kind_of(row)}").status in {200, 204}
    with tenant(cast.account):
        assert not Token.objects.exists()
        assert Integration.objects.get().status == "connected"
