"""Connecting by consent, through the pages, against a certified OpenID provider."""

from __future__ import annotations

import html
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.db import connections as database_connections
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account, Membership, User
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import client_of
from apps.integrations.oauth.applications import application_for
from apps.integrations.oauth.endpoint import Endpoint
from apps.vault.models import AuditEntry, Token
from apps.vault.tokens import Grant, GrantRefused
from tests.factories import Cast
from tests.integrations.oauth.conftest import connection_of, live_at
from tests.stand_ins.oidc import OpenIdProvider, openid_provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-09", "V-04")]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def begin(client: Client, cast: Cast, row: Integration) -> str:
    """Open the connection's page of consent: the service's address on it."""
    page = client.get(f"/app/{cast.account.slug}/integrations/{row.pk}/connect/")
    assert page.status_code == 200
    found = re.search(r'href="(http://127\.0\.0\.1:\d+/services/oauth2/authorize\?[^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return html.unescape(found[1])


def come_back(client: Client, address: str, **changed: str) -> Any:
    """Follow the service's redirect to us; ``changed`` replaces parts of it."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
    return client.get(f"{parts.path}?{urlencode(query)}")


def connect(client: Client, cast: Cast, row: Integration, service: OpenIdProvider, login: str = "zoe") -> str:
    """The whole way; the address that the service sent back to."""
    address = service.walk(begin(client, cast, row), login=login)
    answer = come_back(client, address)
    assert answer.status_code == 302, answer.content.decode()
    assert answer.headers["Location"].endswith(f"/integrations/{row.pk}/connected/")
    return address


def stored(cast: Cast) -> dict[str, Any] | None:
    with tenant(cast.account):
        token = Token.objects.first()
        return dict(token.pair) if token else None


def state_of(cast: Cast, row: Integration) -> Integration:
    with tenant(cast.account):
        return Integration.objects.get(pk=row.pk)


def reasons(cast: Cast) -> list[str]:
    with tenant(cast.account):
        rows = AuditEntry.objects.filter(action="integration.consent_failed").order_by("seq")
        return [entry.payload["changes"]["reason"] for entry in rows]


def test_saying_yes_connects(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    assert state_of(cast, row).status == "not_configured"
    alice = signed_in(cast.alice)
    address = connect(alice, cast, row, service)
    assert "code_challenge_method=S256" in begin(alice, cast, row)
    now = state_of(cast, row)
    assert (now.status, now.identity) == ("connected", "zoe@service.example")
    page = alice.get(f"/app/{cast.account.slug}/integrations/{row.pk}/connected/").content.decode()
    assert "zoe@service.example" in page
    pair = stored(cast)
    assert pair is not None and pair["refresh_token"]
    assert pair["access_token"] not in page
    with client_of(now) as client:
        assert client.test().identity == "zoe@service.example"
    with tenant(cast.account):
        told = set(AuditEntry.objects.values_list("action", flat=True))
        assert {"token.stored", "integration.consented"} <= told
        assert not any(pair["refresh_token"] in str(entry.payload["changes"]) for entry in AuditEntry.objects.all())
    assert urlsplit(address).path == "/integrations/oauth/callback/"


def test_saying_no_changes_nothing(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    answer = come_back(alice, service.walk(begin(alice, cast, row), deny=True))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "You said no" in page and "Begin again" in page and "End-User aborted" in page
    assert stored(cast) is None
    assert state_of(cast, row).status == "not_configured"
    assert reasons(cast) == ["denied"]


def test_a_state_that_is_not_ours_counts_for_nothing(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    address = service.walk(begin(alice, cast, row))
    for state in ("", "guessed"):
        answer = come_back(alice, address, state=state)
        assert answer.status_code == 400
        assert "did not begin here" in answer.content.decode()
    assert stored(cast) is None
    assert come_back(alice, address).status_code == 302  # and the right one still does


@pytest.mark.parametrize("who", ["another session", "another member", "a stranger"])
def test_a_state_counts_only_for_who_began(service: OpenIdProvider, cast: Cast, row: Integration, who: str) -> None:
    alice = signed_in(cast.alice)
    address = service.walk(begin(alice, cast, row))
    user = {"another session": cast.alice, "another member": cast.bob, "a stranger": cast.charlie}[who]
    answer = come_back(signed_in(user), address)
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "begun by somebody else, or in another browser" in page
    assert (cast.account.slug in page) == (who != "a stranger")
    assert stored(cast) is None
    assert reasons(cast) == ["another_session"]
    assert come_back(alice, address).status_code == 302  # nobody else has used it up


def test_nobody_is_let_through_without_signing_in(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    address = service.walk(begin(signed_in(cast.alice), cast, row))
    answer = come_back(Client(), address)
    assert answer.status_code == 302 and "/accounts/login/" in answer.headers["Location"]
    assert stored(cast) is None


def test_an_address_that_is_loaded_again_does_nothing(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    address = connect(alice, cast, row, service)
    pair, asked = stored(cast), service.counts
    answer = come_back(alice, address)
    assert answer.status_code == 400 and "done already" in answer.content.decode()
    assert (stored(cast), service.counts) == (pair, asked)
    assert reasons(cast) == ["used_before"]


def test_a_code_that_was_used_is_refused_by_the_service(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    (code,) = parse_qs(urlsplit(connect(alice, cast, row, service)).query)["code"]
    pair = stored(cast)
    again = service.walk(begin(alice, cast, row))
    answer = come_back(alice, again, code=code)
    assert answer.status_code == 400 and "does not take its own code" in answer.content.decode()
    assert stored(cast) == pair
    assert state_of(cast, row).status == "connected"
    assert reasons(cast) == ["code_refused"]


def test_a_code_of_another_sign_in_is_refused(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    """Somebody else's code put into one's own redirect: PKCE does not fit."""
    alice = signed_in(cast.alice)
    (code,) = parse_qs(urlsplit(service.walk(begin(alice, cast, row), login="mallory")).query)["code"]
    answer = come_back(alice, service.walk(begin(alice, cast, row)), code=code)
    assert answer.status_code == 400
    assert stored(cast) is None


def test_a_code_whose_time_is_over_is_refused(settings: LazySettings, cast: Cast, row: Integration) -> None:
    with openid_provider(f"{django_settings.BASE_URL}/integrations/oauth/callback/", code_seconds=1) as hasty:
        live_at(settings, hasty)
        alice = signed_in(cast.alice)
        address = hasty.walk(begin(alice, cast, row))
        time.sleep(2.1)
        answer = come_back(alice, address)
    assert answer.status_code == 400 and "it has expired" in answer.content.decode()
    assert stored(cast) is None
    assert reasons(cast) == ["code_refused"]


def test_a_state_counts_for_ten_minutes(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    address = service.walk(begin(alice, cast, row))
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=True):
        answer = come_back(alice, address)
    assert answer.status_code == 400 and "took too long" in answer.content.decode()
    assert stored(cast) is None
    assert reasons(cast) == ["too_late"]


def test_a_role_that_was_lost_meanwhile_counts(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    address = service.walk(begin(alice, cast, row))
    with tenant(cast.account):
        Membership.objects.filter(user=cast.alice).update(role=Role.MEMBER)
    answer = come_back(alice, address)
    assert answer.status_code == 403 and "may not connect" in answer.content.decode()
    assert stored(cast) is None


def test_a_suspended_account_connects_nothing(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    address = service.walk(begin(alice, cast, row))
    with platform("suspend an account"):
        Account.objects.filter(pk=cast.account.pk).update(status=Account.Status.SUSPENDED)
    answer = come_back(alice, address)
    assert answer.status_code == 403 and "suspended" in answer.content.decode()
    assert stored(cast) is None


def test_a_connection_that_was_removed_meanwhile_stays_removed(
    service: OpenIdProvider, cast: Cast, row: Integration
) -> None:
    alice = signed_in(cast.alice)
    address = service.walk(begin(alice, cast, row))
    with tenant(cast.account):
        Integration.objects.all().delete()
    assert come_back(alice, address).status_code == 404
    assert stored(cast) is None


def test_connecting_again_keeps_the_row_and_the_old_grant_until_the_new_one_is_there(
    service: OpenIdProvider, cast: Cast, row: Integration
) -> None:
    alice = signed_in(cast.alice)
    connect(alice, cast, row, service)
    first = stored(cast)
    come_back(alice, service.walk(begin(alice, cast, row), deny=True))
    assert stored(cast) == first
    with client_of(state_of(cast, row)) as client:
        assert client.test().identity == "zoe@service.example"
    connect(alice, cast, row, service, login="max")
    second = stored(cast)
    assert second != first
    now = state_of(cast, row)
    assert (now.pk, now.identity, now.status) == (row.pk, "max@service.example", "connected")
    with tenant(cast.account):
        assert Token.objects.count() == 1
        entry = AuditEntry.objects.filter(action="integration.consented").latest("seq")
        assert entry.payload["changes"]["identity"] == ["zoe@service.example", "max@service.example"]


def test_a_rotating_refresh_token_survives_fifty_callers_at_once(
    service: OpenIdProvider, cast: Cast, row: Integration
) -> None:
    """The provider ends the grant when a refresh token comes twice."""
    connect(signed_in(cast.alice), cast, row, service)
    now = state_of(cast, row)
    _ = now.credentials

    def call(_: int) -> str:
        try:
            with client_of(now) as client:
                return str(client.test().identity)
        finally:
            database_connections.close_all()

    for _turn in range(2):
        past = timezone.now() - timedelta(hours=2)
        with tenant(cast.account):
            Token.objects.update(granted_at=past, expires_at=past + timedelta(hours=1))
        before = service.counts.get("refresh_token", 0)
        with ThreadPoolExecutor(50) as pool:
            assert set(pool.map(call, range(50))) == {"zoe@service.example"}
        assert service.counts["refresh_token"] == before + 1


def test_disconnecting_ends_the_grant_at_the_service(service: OpenIdProvider, cast: Cast, row: Integration) -> None:
    alice = signed_in(cast.alice)
    connect(alice, cast, row, service)
    pair = stored(cast)
    assert pair is not None
    page = alice.post(f"/app/{cast.account.slug}/integrations/{row.pk}/disconnect/")
    assert page.status_code == 302
    assert stored(cast) is None
    now = state_of(cast, row)
    assert now.status == "not_configured"
    endpoint = Endpoint(now.definition, application_for(now.definition, now.credentials), now.settings)
    with pytest.raises(GrantRefused):
        endpoint.by_refresh_token(Grant(pair["access_token"], pair["refresh_token"]))


def test_without_an_application_the_page_says_where_to_get_one(cast: Cast) -> None:
    bare = connection_of(cast, {})
    page = signed_in(cast.alice).get(f"/app/{cast.account.slug}/integrations/{bare.pk}/connect/").content.decode()
    assert "no application to sign in with" in page
    assert f"{django_settings.BASE_URL}/integrations/oauth/callback/" in page
