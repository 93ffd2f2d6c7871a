"""Connections in the browser's own words: listed, connected, changed, tested, rotated, switched, removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.db import connections
from django.test import Client
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.outbound.breaker import close_all
from apps.integrations.services.connections import connect
from apps.vault.models import AuditEntry, AuditHead
from tests.factories import Cast

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dcwxyz"
NEW_KEY = "sk_test_9999999999999999999999999new"
WRONG_KEY = "sk_test_0000000000000000000000wrong"
MASKED = "••••••••wxyz"


@pytest.fixture(autouse=True)
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


@pytest.fixture
def admin(as_role: AsRole) -> Client:
    return as_role(Role.ADMIN)


@pytest.fixture
def place(base: str) -> str:
    return f"{base}integrations/"


@pytest.fixture
def part(place: str) -> dict[str, str]:
    """What htmx sends from the list."""
    return {"HX-Request": "true", "HX-Current-URL": f"http://testserver{place}"}


def connected(cast: Cast, **values: Any) -> Integration:
    with tenant(cast.account):
        return connect(
            actor=Actor.system("tests"),
            category="payment",
            provider_name="stripe",
            **{"credentials": {"secret_key": KEY}, **values},
        )


def again(cast: Cast, row: Integration) -> Integration:
    with tenant(cast.account):
        found: Integration = Integration.objects.get(pk=row.pk)
        return found


def everything(cast: Cast) -> list[Integration]:
    with tenant(cast.account):
        return list(Integration.objects.all())


@pytest.mark.covers("I-06")
def test_the_list_shows_masked_key_main_setting_and_state_and_no_secret(admin: Client, place: str, cast: Cast) -> None:
    connected(cast, settings={"currency": "gbp"})
    page = admin.get(place).content.decode()
    assert MASKED in page and "GBP" in page and "Not tested" in page and "Not yet" in page
    assert KEY not in page


@pytest.mark.covers("I-06")
@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("q=stri", True),
        ("q=PAYMENT", True),
        ("q=berlin", True),
        ("q=berlin+stripe", True),
        ("q=berlin+slack", False),
        ("q=no-such", False),
        ("kind=connected", True),
        ("kind=disabled", False),
        ("kind=attention", False),
        ("kind=nonsense", True),
    ],
)
def test_the_list_is_searched_by_any_word_and_narrowed_by_state(
    admin: Client, place: str, cast: Cast, query: str, seen: bool
) -> None:
    row = connected(cast, name="Berlin shop")
    page = admin.get(f"{place}?{query}").content.decode()
    assert (f'id="integration-{row.id}"' in page) is seen


@pytest.mark.covers("I-06")
def test_test_and_save_stores_what_the_service_takes(admin: Client, place: str, part: Any, cast: Cast) -> None:
    values = {"credentials.secret_key": KEY, "settings.currency": "gbp", "how": "test"}
    answer = admin.post(f"{place}connect/?provider=stripe", values, headers=part)
    (row,) = everything(cast)
    assert (row.credential("secret_key"), row.settings["currency"], row.identity) == (KEY, "gbp", "test mode")
    assert row.last_tested_at is not None
    page = answer.content.decode()
    assert f'id="integration-{row.id}"' in page and "Stripe works as test mode. Saved." in page and KEY not in page
    assert orjson.loads(answer.headers["HX-Trigger-After-Settle"]) == {"focus-on": f"configure-{row.id}"}


@pytest.mark.covers("I-06")
def test_what_the_service_refuses_is_not_saved_and_the_reason_is_told(
    admin: Client, place: str, part: Any, cast: Cast
) -> None:
    values = {"credentials.secret_key": WRONG_KEY, "how": "test"}
    answer = admin.post(f"{place}connect/?provider=stripe", values, headers=part)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "nothing was saved" in page and "Invalid API Key provided" in page and "Save anyway" in page
    assert WRONG_KEY not in page, "what was typed is kept by the page, not sent around"
    assert everything(cast) == []
    admin.post(f"{place}connect/?provider=stripe", {**values, "how": "anyway"}, headers=part)
    (row,) = everything(cast)
    assert (row.status, row.credential("secret_key")) == ("error", WRONG_KEY)


@pytest.mark.django_db(transaction=True)
@pytest.mark.covers("I-06")
@pytest.mark.parametrize(("key", "how"), [(KEY, "test"), (WRONG_KEY, "anyway"), (NEW_KEY, "test")])
def test_while_the_service_is_asked_others_write_to_the_trail(
    admin: Client, place: str, cast: Cast, httpserver: HTTPServer, key: str, how: str
) -> None:
    row = connected(cast) if key == NEW_KEY else None
    free: list[bool] = []

    def balance(request: Request) -> Response:
        try:
            with tenant(cast.account):
                free.append(AuditHead.objects.select_for_update(skip_locked=True).exists())
        finally:
            connections.close_all()
        ok = request.headers["Authorization"] != f"Bearer {WRONG_KEY}"
        return Response(b'{"livemode": false}' if ok else b"{}", 200 if ok else 401, mimetype="application/json")

    httpserver.clear()
    httpserver.expect_request("/v1/balance").respond_with_handler(balance)
    where = f"{row.id}/configure/" if row else "connect/?provider=stripe"
    admin.post(f"{place}{where}", {"credentials.secret_key": key, "name": "", "how": how})
    assert free == [True]
    (saved,) = everything(cast)
    assert (saved.credential("secret_key"), saved.status) == (key, "error" if how == "anyway" else "connected")
    assert saved.last_tested_at is not None


@pytest.mark.covers("I-06", "I-08")
def test_a_masked_value_that_comes_back_leaves_the_secret_as_it_is(admin: Client, place: str, cast: Cast) -> None:
    row = connected(cast)
    page = admin.get(f"{place}{row.id}/configure/").content.decode()
    assert f'value="{MASKED}"' in page and KEY not in page
    values = {"credentials.secret_key": MASKED, "settings.currency": "usd", "name": "", "how": "save"}
    admin.post(f"{place}{row.id}/configure/", values)
    changed = again(cast, row)
    assert (changed.credential("secret_key"), changed.settings["currency"]) == (KEY, "usd")
    refused = admin.post(f"{place}{row.id}/configure/", {**values, "credentials.secret_key": MASKED + "more"})
    assert refused.status_code == 422 and "Enter the whole value" in refused.content.decode()
    assert again(cast, row).credential("secret_key") == KEY


def test_a_wrong_value_is_refused_at_its_field_in_the_definitions_words(admin: Client, place: str, cast: Cast) -> None:
    answer = admin.post(f"{place}connect/?provider=stripe", {"credentials.secret_key": "pk", "how": "save"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "A secret key begins with sk_live_" in page
    assert 'aria-describedby="f-credentials.secret_key_error' in page
    assert everything(cast) == []


def test_a_list_takes_a_value_it_does_not_name_when_the_definition_says_so(
    admin: Client, place: str, cast: Cast
) -> None:
    values = {
        "credentials.secret_key": KEY,
        "settings.currency": "__other",
        "settings.currency__other": "huf",
        "how": "save",
    }
    admin.post(f"{place}connect/?provider=stripe", values)
    (row,) = everything(cast)
    assert row.settings["currency"] == "huf"
    assert '<option value="huf" selected>' in admin.get(f"{place}{row.id}/configure/").content.decode()


def test_a_second_connection_of_a_provider_needs_a_name(admin: Client, place: str, cast: Cast) -> None:
    connected(cast)
    values = {"credentials.secret_key": NEW_KEY, "name": "", "how": "save"}
    assert "is connected already" in admin.get(f"{place}connect/?provider=stripe").content.decode()
    assert admin.post(f"{place}connect/?provider=stripe", values).status_code == 422
    assert admin.post(f"{place}connect/?provider=stripe", {**values, "name": "Berlin"}).status_code == 302
    assert {row.name for row in everything(cast)} == {"", "Berlin"}


@pytest.mark.covers("I-05")
def test_a_test_is_answered_on_the_card_and_stops_after_five_a_minute(
    admin: Client, place: str, part: Any, cast: Cast
) -> None:
    row = connected(cast)
    pages = [admin.post(f"{place}{row.id}/test/", headers=part).content.decode() for _ in range(6)]
    assert "It works: test mode." in pages[0] and "Connected" in pages[0]
    assert "at most 5 times a minute" in pages[5]


def test_a_failing_connection_says_why_and_what_to_do(admin: Client, place: str, part: Any, cast: Cast) -> None:
    row = connected(cast, credentials={"secret_key": WRONG_KEY})
    page = admin.post(f"{place}{row.id}/test/", headers=part).content.decode()
    assert "Failing" in page and "Invalid API Key provided" in page and "Enter a new credential." in page
    whole = admin.get(f"{place}{row.id}/").content.decode()
    assert "Invalid API Key provided" in whole and "it does not work" in whole


@pytest.mark.covers("I-08")
def test_rotation_swaps_only_what_works(admin: Client, place: str, cast: Cast) -> None:
    row = connected(cast)
    refused = admin.post(f"{place}{row.id}/rotate/", {"credentials.secret_key": WRONG_KEY})
    assert refused.status_code == 422 and "the old one stays in its place" in refused.content.decode()
    assert again(cast, row).credential("secret_key") == KEY
    assert admin.post(f"{place}{row.id}/rotate/", {"credentials.secret_key": NEW_KEY}).status_code == 302
    assert again(cast, row).credential("secret_key") == NEW_KEY


def test_switching_and_removing_are_answered_in_place(admin: Client, place: str, part: Any, cast: Cast) -> None:
    row = connected(cast)
    assert "Disabled" in admin.post(f"{place}{row.id}/switch/", {"on": "0"}, headers=part).content.decode()
    assert again(cast, row).status == "disabled"
    assert "is in use again" in admin.post(f"{place}{row.id}/switch/", {"on": "1"}, headers=part).content.decode()
    assert "Its credential is forgotten" in admin.get(f"{place}{row.id}/remove/", headers=part).content.decode()
    assert 'id="connect-stripe"' in admin.post(f"{place}{row.id}/remove/", headers=part).content.decode()
    assert everything(cast) == []


def test_the_trail_tells_every_step_in_a_sentence(admin: Client, place: str, base: str, cast: Cast) -> None:
    row = connected(cast)
    admin.post(f"{place}{row.id}/test/")
    admin.post(f"{place}{row.id}/rotate/", {"credentials.secret_key": NEW_KEY})
    admin.post(f"{place}{row.id}/switch/", {"on": "0"})
    page = admin.get(f"{base}audit/").content.decode()
    for words in ("connected <b>Stripe</b>", ": it works", "rotated the credential of", "disabled the connection"):
        assert words in page
    with tenant(cast.account):
        assert all(KEY not in str(entry.payload) for entry in AuditEntry.objects.all())


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_are_told_who_can(as_role: AsRole, place: str, base: str, role: Role) -> None:
    client = as_role(role)
    answer = client.get(place)
    assert answer.status_code == 403 and "Integrations are managed by owners and admins of" in answer.content.decode()
    assert place not in client.get(base).content.decode()
