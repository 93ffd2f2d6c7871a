"""A connection's client calls with a grant from the vault: typed or consented, renewed by itself, given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import client_of, kind_of
from apps.integrations.oauth.applications import Application, NoApplication, application_for
from apps.integrations.oauth.endpoint import Endpoint
from apps.integrations.outbound.breaker import close_all
from apps.integrations.providers import provider, providers
from apps.integrations.providers.errors import NotRenewed, NotSignedIn, SignInAgain
from apps.integrations.services import connections, trying
from apps.integrations.services.calling import calling
from apps.vault.models import AuditEntry, Token
from apps.vault.tokens import Grant, store
from tests.api_client import ApiClient, by_key
from tests.factories import Cast
from tests.integrations.oauth.zoho import OWN, OWNER, TYPED, Zoho, make, reread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-09", "V-04")]


def test_a_typed_refresh_token_is_taken_into_the_vault_on_first_use(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, TYPED)
    assert row.status == "connected"
    for _ in range(3):
        with client_of(row) as client:
            assert client.test().identity == "zoe@people.example"
            assert client.settings["api_domain"] == "https://www.zohoapis.eu"
    (call,) = zoho.calls
    assert call == {
        "grant_type": "refresh_token",
        "refresh_token": "1000.typed-refresh-token",
        "client_id": "1000.client",
        "client_secret": "the-client-secret",
    }
    with tenant(cast.account):
        kept = Token.objects.get()
        assert kept.pair["access_token"] == "access-1"
        assert kept.pair["refresh_token"] == "1000.typed-refresh-token"


def test_a_token_refused_before_its_time_is_renewed_within_the_call(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
        zoho.valid = {"access-2"}
        assert client.test().identity == "zoe@people.example"
    assert len(zoho.calls) == 2
    with client_of(row) as client:
        client.test()
    assert len(zoho.calls) == 2


def test_without_consent_it_is_not_connected_and_says_what_to_do(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, OWN)
    assert row.status == "not_configured"
    with pytest.raises(NotSignedIn) as refused:
        client_of(row)
    assert "Connect it" in refused.value.todo
    with tenant(cast.account), pytest.raises(NotSignedIn), calling("crm.find_contact", actor=OWNER):
        pass
    assert reread(cast, row).status == "not_configured"
    assert zoho.calls == []


def test_repeated_refusals_ask_for_consent_anew(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, TYPED)
    zoho.answer = {"error": "invalid_code"}  # with status 200, as Zoho does
    start = timezone.now()
    for hour, expected in ((0, NotRenewed), (2, NotRenewed), (4, SignInAgain), (6, SignInAgain)):
        with (
            time_machine.travel(start + timedelta(hours=hour), tick=True),
            tenant(cast.account),
            pytest.raises(expected) as refused,
            calling("crm.find_contact", actor=OWNER),
        ):
            pass
        assert reread(cast, row).status == ("backoff" if expected is NotRenewed else "reauth_required")
    assert len(zoho.calls) == 3
    assert "Connect it again" in refused.value.todo
    assert reread(cast, row).last_error_todo == refused.value.todo


def test_a_wrong_client_secret_is_said_and_ends_no_grant(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, TYPED)
    zoho.answer = {"error": "invalid_client_secret", "error_description": "the-client-secret is wrong"}
    with pytest.raises(NotRenewed) as refused:
        client_of(row)
    assert "is wrong" in str(refused.value)
    assert "the-client-secret" not in str(refused.value)
    with tenant(cast.account):
        assert Token.objects.get().refusals == 0


def test_a_new_refresh_token_is_tried_before_it_takes_the_old_ones_place(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
    zoho.answer = {"error": "invalid_code"}
    with tenant(cast.account):
        locked = connections.lock_integration(row.pk)
        outcome = trying.rotate(locked, credentials={"refresh_token": "1000.wrong"}, actor=OWNER)
        assert not outcome.ok
    with client_of(reread(cast, row)) as client:
        assert client.test().identity == "zoe@people.example"
    zoho.answer, zoho.valid = None, {"access-1", "access-3"}
    with tenant(cast.account):
        locked = connections.lock_integration(row.pk)
        assert trying.rotate(locked, credentials={"refresh_token": "1000.right"}, actor=OWNER).ok
    assert zoho.calls[-1]["refresh_token"] == "1000.right"
    with client_of(reread(cast, row)) as client:
        client.test()
    assert len(zoho.calls) == 3
    with tenant(cast.account):  # and nothing is left of the old one, and of the one that was tried
        assert [token.pair["refresh_token"] for token in Token.objects.all()] == ["1000.right"]
    assert zoho.given_back == []


def test_the_data_centre_of_the_grant_is_where_it_is_renewed(zoho: Zoho, cast: Cast, settings: LazySettings) -> None:
    row = make(cast, TYPED, api_domain="https://www.zohoapis.com.au")
    settings.OAUTH_ORIGINS = {}
    application = application_for(row.definition, row.credentials)
    declared = row.definition.oauth
    assert declared is not None
    for values, redirect, host in (
        (row.settings, {}, "https://accounts.zoho.com.au"),
        ({"api_domain": "https://www.zohoapis.eu"}, {}, "https://accounts.zoho.eu"),
        (row.settings, {"accounts-server": "https://accounts.zoho.in"}, "https://accounts.zoho.in"),
        (row.settings, {"accounts-server": "https://accounts.evil.example"}, "https://accounts.zoho.com.au"),
    ):
        endpoint = Endpoint(row.definition, application, values, redirect)
        assert endpoint.address(declared.token_url) == f"{host}/oauth/v2/token"


def test_disconnecting_gives_the_grant_back(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
    api = by_key(cast.account, Role.ADMIN)
    assert api.delete(f"integrations/{row.pk}/connect").status == 204
    assert zoho.given_back == ["1000.typed-refresh-token"]
    now = reread(cast, row)
    assert (now.status, now.credentials) == ("not_configured", OWN)
    with tenant(cast.account):
        assert not Token.objects.exists()
        assert "integration.disconnected" in AuditEntry.objects.values_list("action", flat=True)


@pytest.mark.parametrize("way", ["connect", "token"])
def test_it_is_disconnected_here_although_the_service_is_away_and_it_says_so(zoho: Zoho, cast: Cast, way: str) -> None:
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
    zoho.status = 503
    api: ApiClient = by_key(cast.account, Role.ADMIN)
    where = f"integrations/{row.pk}/connect" if way == "connect" else f"tokens/{kind_of(row)}"
    answer = api.delete(where)
    assert (answer.status, answer.json["given_back"]) == (200, False)
    assert "trouble of its own" in answer.json["detail"]
    assert reread(cast, row).status == "not_configured"
    with tenant(cast.account):
        assert not Token.objects.exists()


def test_removing_a_connection_gives_its_grant_back(zoho: Zoho, cast: Cast) -> None:
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
    assert by_key(cast.account, Role.ADMIN).delete(f"integrations/{row.pk}").status == 204
    assert zoho.given_back == ["1000.typed-refresh-token"]


def test_the_platforms_application_serves_who_brings_none(zoho: Zoho, cast: Cast, settings: LazySettings) -> None:
    row = make(cast, {"refresh_token": "1000.typed-refresh-token"})
    settings.OAUTH_APPS = {"zoho": ("platform-client", "platform-secret")}
    with client_of(row) as client:
        client.test()
    assert (zoho.calls[0]["client_id"], zoho.calls[0]["client_secret"]) == ("platform-client", "platform-secret")


def test_the_api_says_where_consent_is_given(zoho: Zoho, cast: Cast, settings: LazySettings) -> None:
    row = make(cast, OWN)
    by_program = by_key(cast.account, Role.ADMIN).get(f"integrations/{row.pk}/connect").json
    assert by_program["authorize_url"].endswith(f"/integrations/{row.pk}/connect/")
    assert by_program["redirect_uri"] == f"{settings.BASE_URL}/integrations/oauth/callback/"
    shown = ApiClient(user=cast.alice).get(f"integrations/{row.pk}/connect").json
    assert shown["authorize_url"].startswith(settings.OAUTH_ORIGINS["zoho"].rstrip("/") + "/oauth/v2/auth?")
    for part in (
        "response_type=code",
        "code_challenge_method=S256",
        "code_challenge=",
        "state=",
        "access_type=offline",
    ):
        assert part in shown["authorize_url"]
    assert "the-client-secret" not in shown["authorize_url"]


def test_an_application_gets_a_grant_of_its_own(httpserver: HTTPServer, cast: Cast, settings: LazySettings) -> None:
    """RFC 6749 section 4.4: nobody consents, and there is nothing to refresh with but the application itself."""
    close_all()
    settings.PROVIDER_URLS = {"salesforce": httpserver.url_for("/services")}
    settings.OAUTH_ORIGINS = {"salesforce": httpserver.url_for("")}
    settings.OUTBOUND_ALLOW = ["localhost", "127.0.0.1"]
    forms: list[dict[str, str]] = []

    def token(request: Request) -> Response:
        forms.append({name: values[0] for name, values in parse_qs(request.get_data(as_text=True)).items()})
        return Response(orjson.dumps({"access_token": f"access-{len(forms)}"}), mimetype="application/json")

    httpserver.expect_request("/services/oauth2/token", method="POST").respond_with_handler(token)
    me = {"email": "robot@people.example", "organization_id": "00Dx0000000000AAA"}
    httpserver.expect_request("/services/oauth2/userinfo").respond_with_json(me)
    with tenant(cast.account):
        row = connections.connect(
            actor=OWNER,
            category="crm",
            provider_name="salesforce",
            credentials={"client_id": "consumer", "client_secret": "the-client-secret"},
            settings={"grant": "client_credentials"},
        )
        _ = row.credentials
    assert row.status == "connected"
    for _turn in range(2):
        with client_of(row) as client:
            assert client.test().identity == "robot@people.example"
    assert [form["grant_type"] for form in forms] == ["client_credentials"]
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=True), client_of(row) as client:
        client.test()
    assert [form["grant_type"] for form in forms] == ["client_credentials"] * 2
    assert set(forms[0]) == {"grant_type", "client_id", "client_secret"}


def test_every_provider_that_gives_grants_can_be_connected(cast: Cast, settings: LazySettings) -> None:
    """Its declaration makes a whole address, and the platform's application is enough."""
    offered = {name: entry for name, entry in providers().items() if entry.oauth}
    assert {"google", "microsoft", "slack", "zoho", "salesforce", "hubspot"} <= set(offered)
    settings.OAUTH_ORIGINS = {}
    settings.OAUTH_APPS = {entry.oauth.app: ("platform-client", "secret") for entry in offered.values() if entry.oauth}
    for name, entry in offered.items():
        with tenant(cast.account):
            row = connections.connect(actor=OWNER, category=entry.category, provider_name=name, credentials={})
        assert row.status == "not_configured", name
        address = urlsplit(ApiClient(user=cast.alice).get(f"integrations/{row.pk}/connect").json["authorize_url"])
        query = parse_qs(address.query)
        assert entry.oauth is not None
        assert (address.scheme, query["client_id"], query["response_type"]) == ("https", ["platform-client"], ["code"])
        assert query["scope"] == [entry.oauth.scope_separator.join(entry.oauth.scopes)]
        assert len(query["state"][0]) == 43
        challenges = [len(value) for value in query.get("code_challenge", [])]
        assert challenges == ([] if name == "slack" else [43]), name
        assert ("code_challenge_method" in query) == bool(challenges)


@pytest.mark.parametrize(("name", "bound"), [("slack", False), ("hubspot", True)])
def test_the_verifier_goes_only_where_the_challenge_went(
    httpserver: HTTPServer, settings: LazySettings, name: str, bound: bool
) -> None:
    """Slack refuses PKCE's arguments of an application that is not a public client."""
    definition = provider(name)
    assert definition.oauth is not None
    close_all()
    settings.OAUTH_ORIGINS = {name: httpserver.url_for("")}
    settings.OUTBOUND_ALLOW = ["localhost", "127.0.0.1"]
    path = urlsplit(definition.oauth.token_url).path
    httpserver.expect_request(path, method="POST").respond_with_json({"ok": True, "access_token": "access-1"})
    endpoint = Endpoint(definition, Application("client", "the-client-secret", own=True), {})
    endpoint.by_code("the-code", verifier="v" * 43, redirect_uri="https://strongroom.example/back/")
    ((request, _),) = httpserver.log
    assert (request.form["code"], request.form["redirect_uri"]) == ("the-code", "https://strongroom.example/back/")
    assert request.form.get("code_verifier") == ("v" * 43 if bound else None)


def test_hubspot_is_asked_at_its_dated_addresses(httpserver: HTTPServer, settings: LazySettings) -> None:
    """Version 1 of HubSpot's OAuth ends on 16 February 2027."""
    close_all()
    settings.OAUTH_ORIGINS = {"hubspot": httpserver.url_for("")}
    settings.OUTBOUND_ALLOW = ["localhost", "127.0.0.1"]
    httpserver.expect_request("/oauth/2026-03/token", method="POST").respond_with_json(
        {"access_token": "access-2", "refresh_token": "refresh-1", "expires_in": 1800}
    )
    httpserver.expect_request("/oauth/2026-03/token/revoke", method="POST").respond_with_data(b"")
    endpoint = Endpoint(provider("hubspot"), Application("client", "the-client-secret", own=True), {})
    grant = endpoint.by_refresh_token(Grant("access-1", "refresh-1"))
    assert grant.access_token == "access-2"
    endpoint.give_back(grant)
    (_, (revoked, _)) = httpserver.log
    assert revoked.args.to_dict() == {}, "nothing secret stands in an address"
    assert revoked.form.to_dict() == {
        "token": "refresh-1",
        "client_id": "client",
        "client_secret": "the-client-secret",
    }


ALONE = {"grant": "client_credentials"}


@pytest.fixture
def salesforce(httpserver: HTTPServer, settings: LazySettings) -> HTTPServer:
    """Nothing answers there but what a test says; the operator has an application of its own."""
    close_all()
    settings.PROVIDER_URLS = {"salesforce": httpserver.url_for("/services")}
    settings.OAUTH_ORIGINS = {"salesforce": httpserver.url_for("")}
    settings.OAUTH_APPS = {"salesforce": ("platform-client", "platform-secret")}
    settings.OUTBOUND_ALLOW = ["localhost", "127.0.0.1"]
    return httpserver


def as_a_person(cast: Cast, credentials: dict[str, str]) -> Integration:
    with tenant(cast.account):
        row = connections.connect(actor=OWNER, category="crm", provider_name="salesforce", credentials=credentials)
        _ = row.credentials
    return row


def test_an_application_that_acts_by_itself_must_be_the_accounts_own(salesforce: HTTPServer, cast: Cast) -> None:
    """Else an account could read whatever the operator's application may, at a server of its choice."""
    api = by_key(cast.account, Role.ADMIN)
    body = {"category": "crm", "provider": "salesforce", "settings": ALONE}
    missing = {"credentials.client_id", "credentials.client_secret"}

    def fields_of(answer: Any) -> set[str]:
        assert answer.status == 400, answer.json
        return {error["field"] for error in answer.json["errors"]}

    refused = api.post("integrations", {**body, "credentials": {}})
    assert fields_of(refused) == missing
    assert "Consumer key of an application of your own" in refused.content.decode()
    assert fields_of(api.post("integrations", {**body, "credentials": {"client_id": "key"}})) == {
        "credentials.client_secret"
    }
    row = as_a_person(cast, {})
    assert fields_of(api.patch(f"integrations/{row.pk}", {"settings": ALONE})) == missing
    own = api.post("integrations", {**body, "credentials": OWN, "name": "own"}).json
    emptied = {"credentials": {"client_secret": ""}}
    assert fields_of(api.patch(f"integrations/{own['id']}", emptied)) == {"credentials.client_secret"}
    assert fields_of(api.post(f"integrations/{own['id']}/rotate", emptied)) == {"credentials.client_secret"}
    assert salesforce.log == []


def test_an_old_row_with_the_platforms_application_gets_no_token_and_sends_no_secret(
    salesforce: HTTPServer, cast: Cast
) -> None:
    """Neither a new token, nor one that is kept, nor when it is removed."""
    row = as_a_person(cast, {})
    with tenant(cast.account):
        Integration.objects.filter(pk=row.pk).update(settings={**row.settings, **ALONE})
    row = reread(cast, row)
    with pytest.raises(NoApplication):
        client_of(row)
    with tenant(cast.account):
        store(kind_of(row), Grant("of-the-platform"), actor=OWNER)
    with pytest.raises(NoApplication), client_of(row) as client:
        client.test()
    assert by_key(cast.account, Role.ADMIN).delete(f"integrations/{row.pk}").status == 204
    with tenant(cast.account):
        assert not Token.objects.exists()
    assert salesforce.log == []
