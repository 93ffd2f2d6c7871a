"""Connections through the API, tried against a stand-in of Stripe."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.db import connection
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import Integration
from apps.integrations.outbound.breaker import close_all
from apps.vault.models import AuditEntry
from tests.accounts.pages.conftest import signed_in
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("I-01", "I-07")]

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dcwxyz"
NEW_KEY = "sk_test_9999999999999999999999999new"


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.ADMIN)


@pytest.fixture
def stripe(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    """Knows KEY and NEW_KEY."""
    close_all()
    settings.PROVIDER_URLS = {"stripe": httpserver.url_for("/v1")}
    settings.OUTBOUND_ALLOW = ["localhost"]

    def balance(request: Request) -> Response:
        known = request.headers.get("Authorization") in {f"Bearer {KEY}", f"Bearer {NEW_KEY}"}
        body = {"object": "balance", "livemode": False} if known else {"error": {"message": "Invalid API Key provided"}}
        return Response(orjson.dumps(body), status=200 if known else 401, mimetype="application/json")

    httpserver.expect_request("/v1/balance").respond_with_handler(balance)
    return httpserver


def connected(api: ApiClient, key: str = KEY, **more: Any) -> dict[str, Any]:
    made = api.post(
        "integrations", {"category": "payment", "provider": "stripe", "credentials": {"secret_key": key}, **more}
    )
    assert made.status == 201, made.json
    return dict(made.json)


def actions(cast: Cast) -> list[str]:
    with tenant(cast.account):
        found = AuditEntry.objects.filter(action__startswith="integration.").order_by("seq")
        return [entry.action for entry in found]


def test_a_connection_is_shown_with_its_secret_masked_everywhere(api: ApiClient, cast: Cast) -> None:
    made = connected(api, settings={"currency": "gbp"})
    shape = {"id", "category", "provider", "name", "status", "enabled", "credentials", "settings", "last_used_at"}
    assert shape | {"last_error_at", "last_error_message"} <= set(made)
    assert made["credentials"] == {"secret_key": "••••••••wxyz"}
    assert (made["status"], made["enabled"], made["settings"]) == ("connected", True, {"currency": "gbp"})
    one, listed = api.get(f"integrations/{made['id']}"), api.get("integrations")
    assert one.json == made
    assert [row["id"] for row in listed.json["results"]] == [made["id"]]
    assert all(KEY.encode() not in answer.content for answer in (one, listed))
    with tenant(cast.account):
        assert all(KEY not in str(entry.payload) for entry in AuditEntry.objects.all())


def test_what_lies_in_the_database_is_ciphertext(api: ApiClient) -> None:
    made = connected(api)
    with platform("look at the stored bytes"), connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(i)::text FROM integrations_integration i WHERE id = %s", [made["id"]])
        assert KEY not in cursor.fetchone()[0]


def test_what_can_be_connected_says_which_fields_it_asks_for(api: ApiClient) -> None:
    before = api.get("integrations/available").json
    assert len(before["categories"]) == 8
    (stripe,) = [entry for entry in before["results"] if entry["provider"] == "stripe"]
    assert [field["name"] for field in stripe["credential_fields"]] == [
        "secret_key",
        "publishable_key",
        "webhook_secret",
    ]
    assert [field["name"] for field in stripe["setting_fields"]] == ["currency"]
    assert stripe["configured"] is False
    connected(api)
    after = api.get("integrations/available").json
    assert [entry["provider"] for entry in after["results"] if entry["configured"]] == ["stripe"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"category": "payment", "provider": "stripe", "credentials": {}}, "credentials.secret_key"),
        (
            {"category": "payment", "provider": "stripe", "credentials": {"secret_key": "nonsense"}},
            "credentials.secret_key",
        ),
        ({"category": "payment", "provider": "stripe", "credentials": {"secret_key": 5}}, "credentials.secret_key"),
        ({"category": "payment", "provider": "stripe", "credentials": {"secret_key": KEY, "x": "y"}}, "credentials.x"),
        ({"category": "payment", "provider": "stripe", "credentials": []}, "credentials"),
        (
            {
                "category": "payment",
                "provider": "stripe",
                "credentials": {"secret_key": KEY},
                "settings": {"currency": "€"},
            },
            "settings.currency",
        ),
        ({"category": "payment", "provider": "strip"}, "provider"),
        ({"category": "crm", "provider": "stripe"}, "category"),
        ({"provider": "stripe"}, "category"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_kept(
    api: ApiClient, cast: Cast, body: dict[str, Any], field: str
) -> None:
    refused = api.post("integrations", body)
    assert refused.status == 400, refused.json
    assert [error["field"] for error in refused.json["errors"]] == [field]
    with tenant(cast.account):
        assert not Integration.objects.exists()


def test_a_second_connection_of_a_provider_needs_a_name(api: ApiClient) -> None:
    connected(api)
    again = {"category": "payment", "provider": "stripe", "credentials": {"secret_key": KEY}}
    refused = api.post("integrations", again)
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "name")
    assert connected(api, name="Shop in Lyon")["name"] == "Shop in Lyon"


def test_a_masked_value_sent_back_never_overwrites_the_secret(api: ApiClient, cast: Cast) -> None:
    made = connected(api)
    changed = api.patch(
        f"integrations/{made['id']}", {"credentials": made["credentials"], "settings": {"currency": "usd"}}
    )
    assert changed.status == 200
    assert changed.json["settings"] == {"currency": "usd"}
    with tenant(cast.account):
        assert Integration.objects.get().credential("secret_key") == KEY


@pytest.mark.covers("I-05")
def test_a_test_makes_a_real_call_and_keeps_what_it_found(api: ApiClient, stripe: HTTPServer) -> None:
    good = connected(api)
    tested = api.post(f"integrations/{good['id']}/test").json
    assert (tested["ok"], tested["identity"]) == (True, "test mode")
    assert tested["integration"]["last_tested_at"]
    bad = connected(api, key="sk_test_0000000000000000000000000000", name="Old")
    tested = api.post(f"integrations/{bad['id']}/test").json
    assert (tested["ok"], tested["code"]) == (False, "credential_refused")
    assert "Invalid API Key" in tested["message"]
    assert tested["todo"]
    shown = api.get(f"integrations/{bad['id']}").json
    assert (shown["status"], shown["last_error_message"]) == ("error", tested["message"])
    assert len(stripe.log) == 2


@pytest.mark.covers("I-05")
def test_a_connection_is_tested_at_most_five_times_a_minute(api: ApiClient, stripe: HTTPServer) -> None:
    made = connected(api)
    answers = [api.post(f"integrations/{made['id']}/test") for _ in range(6)]
    if answers[-1].status == 200:  # the minute ended between them
        answers = [api.post(f"integrations/{made['id']}/test") for _ in range(6)]
    assert answers[-1].status == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.covers("I-08")
def test_a_new_credential_takes_over_only_if_it_works(api: ApiClient, cast: Cast, stripe: HTTPServer) -> None:
    made = connected(api)
    refused = api.post(f"integrations/{made['id']}/rotate", {"credentials": {"secret_key": "sk_test_" + "0" * 20}})
    assert (refused.status, refused.code) == (422, "credential_refused")
    with tenant(cast.account):
        assert Integration.objects.get().credential("secret_key") == KEY
    taken = api.post(f"integrations/{made['id']}/rotate", {"credentials": {"secret_key": NEW_KEY}})
    assert taken.status == 200
    assert taken.json["integration"]["credentials"] == {"secret_key": "••••••••9new"}
    with tenant(cast.account):
        assert Integration.objects.get().credential("secret_key") == NEW_KEY
    assert actions(cast) == ["integration.connected", "integration.rotation_failed", "integration.rotated"]


def test_switching_off_keeps_everything(api: ApiClient, cast: Cast) -> None:
    made = connected(api)
    off = api.post(f"integrations/{made['id']}/toggle").json
    assert (off["enabled"], off["status"]) == (False, "disabled")
    on = api.post(f"integrations/{made['id']}/toggle", {"enabled": True}).json
    assert (on["enabled"], on["status"], on["credentials"]) == (True, "connected", made["credentials"])
    assert actions(cast) == ["integration.connected", "integration.disabled", "integration.enabled"]


def test_a_removed_connection_is_gone(api: ApiClient, cast: Cast) -> None:
    made = connected(api)
    assert api.delete(f"integrations/{made['id']}").status == 204
    assert api.get(f"integrations/{made['id']}").status == 404
    assert actions(cast)[-1] == "integration.removed"


def test_a_server_that_can_not_be_reached_is_told_in_plain_words_by_every_door(
    api: ApiClient, cast: Cast, stripe: HTTPServer, settings: Any
) -> None:
    made = connected(api)
    settings.PROVIDER_URLS = {"stripe": "http://127.0.0.1:1/v1"}  # a port that nobody listens on
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    words, todo = "127.0.0.1:1 could not be reached.", "Check the address, or try again in a few minutes."
    tested = api.post(f"integrations/{made['id']}/test", {})
    assert (tested.json["code"], tested.json["message"], tested.json["todo"]) == ("unreachable", words, todo)
    assert api.get(f"integrations/{made['id']}").json["last_error_message"] == words
    health = api.get(f"integrations/{made['id']}/health").json
    assert (health["error"]["message"], health["todo"]) == (words, todo)
    assert health["recent_errors"][0]["message"] == words
    page = signed_in(cast.alice).get(f"/app/{cast.account.slug}/integrations/{made['id']}/").content.decode()
    assert words in page and todo in page and "ConnectError" not in page


def test_a_setting_that_an_earlier_release_had_is_left_behind_by_the_next_change(api: ApiClient, cast: Cast) -> None:
    made = connected(api)
    with tenant(cast.account):
        Integration.objects.update(settings={"currency": "eur", "style_url": "an old one"})
    assert api.patch(f"integrations/{made['id']}", {"name": "Europe"}).status == 200
    with tenant(cast.account):
        row = Integration.objects.get()
    assert (row.name, row.settings) == ("Europe", {"currency": "eur"})
    assert api.patch(f"integrations/{made['id']}", {"settings": {"style_url": "a new one"}}).status == 400
