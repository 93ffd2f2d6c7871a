"""What holds at every address of the API: who may call, how bad requests are refused, what is never told."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

import orjson
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.api.views import AccountView
from apps.accounts.permissions import UnknownAction
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.api_client import ApiClient, by_key
from tests.factories import Cast, make_contact
from tests.isolation.urlconf import every_route

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-10")]

LISTS = ["members", "invitations", "api-keys", "contacts", "jobs"]
BODIES = [
    ("POST", "contacts"),
    ("POST", "invitations"),
    ("POST", "api-keys"),
    ("PATCH", "account"),
    ("PATCH", "members/{member}"),
    ("PATCH", "contacts/{contact}"),
    ("PUT", "contacts/{contact}"),
]
"""Every address that reads a body."""


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account)


@pytest.fixture
def names(api: ApiClient, cast: Cast) -> dict[str, str]:
    found = {row["role"]: row["id"] for row in api.get("members").json["results"]}
    return {"member": found["member"], "contact": str(make_contact(cast.account).id)}


# --- who calls


def test_nobody_is_told_how_to_prove_who_they_are() -> None:
    for path in ("account", "contacts", f"contacts/{uuid4()}", "no/such/place", ""):
        answer = ApiClient().get(path)
        assert (answer.status, answer.code) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Strongroom"'


@pytest.mark.parametrize(
    "sent",
    ["Bearer", "Bearer ", "Bearer x", "Bearer sr_abcdefghijkl_secret", "Bearer sr__", "Basic eDp5", "Token sr_x", "ü"],
)
def test_a_wrong_key_is_refused_even_with_a_session(cast: Cast, sent: str) -> None:
    answer = ApiClient(user=cast.alice, Authorization=sent).get("account")
    assert (answer.status, answer.code) == (401, "invalid_key")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_key_with_its_secret_changed_is_refused(cast: Cast) -> None:
    from tests.factories import make_api_key

    key = make_api_key(cast.account)
    assert ApiClient(key=key).get("account").status == 200
    changed = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert ApiClient(key=changed).get("account").code == "invalid_key"


def test_a_session_needs_its_csrf_token_to_write(cast: Cast) -> None:
    forged = ApiClient(user=cast.alice, csrf=False)
    assert forged.get("contacts").status == 200
    assert forged.post("contacts", {"name": "x"}).code == "csrf_failed"
    with tenant(cast.account):
        assert not Contact.objects.exists()
    assert ApiClient(user=cast.alice).post("contacts", {"name": "x"}).status == 201


def test_a_key_needs_no_csrf_token(api: ApiClient) -> None:
    assert api.post("contacts", {"name": "x"}).status == 201


# --- what is not there


def test_unknown_addresses_answer_as_missing_objects_do(api: ApiClient) -> None:
    missing = api.get(f"contacts/{uuid4()}")
    for path in ("", "nothing", "nothing/", "contacts/1", "contacts/not-a-uuid", "accounts", "contacts/%00"):
        for method in ("GET", "POST", "DELETE"):
            answer = api(method, path)
            assert (answer.status, answer.indistinct) == (404, missing.indistinct), (method, path)


@pytest.mark.parametrize("name", ["1", "x", "%00", "%ff", "00000000-0000-0000-0000-00000000000g", "a" * 500])
def test_what_is_no_id_names_nothing(api: ApiClient, name: str) -> None:
    for resource in LISTS:
        assert api.get(f"{resource}/{name}").code == "not_found", resource


def test_a_slash_too_many_leads_to_the_address_that_is_meant(api: ApiClient) -> None:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        meant = api(method, "contacts/?limit=5")
        assert meant.status == 308
        assert meant.headers["Location"] == "/api/v1/contacts?limit=5"
    assert api.get("nowhere/").code == "not_found"
    assert ApiClient().get("contacts/").status == 401
    assert ApiClient().get("docs").headers["Location"] == "/api/v1/docs/"


def test_what_is_sent_on_from_a_slash_too_many_keeps_its_idempotency_key(api: ApiClient) -> None:
    body = {"name": "Zoë"}
    meant = api.post("contacts/", body, Idempotency_Key="k1").headers["Location"]
    assert api.post(meant.removeprefix("/api/v1/"), body, Idempotency_Key="k1").status == 201


# --- how it is asked


@pytest.mark.parametrize("resource", ["members", "invitations", "api-keys"])
def test_a_stale_etag_keeps_a_change_from_being_overwritten(cast: Cast, resource: str) -> None:
    owner = ApiClient(user=cast.alice)
    owner.post("invitations", {"email": "new@mail.example"})
    owner.post("api-keys", {"name": "Website"})
    address = f"{resource}/{owner.get(resource).json['results'][0]['id']}"
    known = owner.get(address).headers["ETag"]
    if resource != "invitations":
        assert owner.patch(address, {"role": "admin"}, If_Match='"stale"').code == "precondition_failed"
        changed = owner.patch(address, {"role": "admin"}, If_Match=known)
        assert changed.status == 200
        known = changed.headers["ETag"]
    assert owner.delete(address, If_Match='"stale"').code == "precondition_failed"
    assert owner.delete(address, If_Match=known).status == 204


def test_an_unknown_method_is_answered_with_the_known_ones(api: ApiClient) -> None:
    answer = api("PUT", "contacts", {})
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert api("PATCH", "jobs", {}).headers["Allow"] == "GET, HEAD"
    for method in ("OPTIONS", "TRACE", "PURGE"):
        assert api(method, "contacts").status == 405


def test_head_answers_as_get_without_the_body(api: ApiClient) -> None:
    head, get = api("HEAD", "account"), api.get("account")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["ETag"] == get.headers["ETag"]


def test_a_format_that_is_not_spoken_is_refused(api: ApiClient) -> None:
    answer = api.get("contacts", Accept="text/html")
    assert (answer.status, answer.code) == (406, "not_acceptable")
    for accept in ("*/*", "application/json", "text/html, application/*;q=0.8"):
        assert api.get("contacts", Accept=accept).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "x"])
def test_a_body_of_another_type_is_refused(api: ApiClient, names: dict[str, str], content_type: str) -> None:
    for method, path in BODIES:
        answer = api(method, path.format(**names), b"name=x", Content_Type=content_type)
        assert (answer.status, answer.code) == (415, "unsupported_media_type"), (method, path)


MALFORMED = {
    "half an object": b'{"name": "x"',
    "single quotes": b"{'name': 'x'}",
    "not UTF-8": b'{"name": "\xff"}',
    "half a surrogate": b'{"name": "\\ud800"}',
    "NaN": b'{"name": NaN}',
    "an endless number": b'{"name": 1e999}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "two values": b"{}{}",
    "too deep": b'{"name":' * 40 + b"1" + b"}" * 40,
    "far too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_cant_be_read_is_refused(api: ApiClient, names: dict[str, str], body: bytes) -> None:
    for method, path in BODIES:
        answer = api(method, path.format(**names), body, Content_Type="application/json")
        assert (answer.status, answer.code) == (400, "malformed_json"), (method, path)


@pytest.mark.parametrize("body", [[], "x", 1, None, True, [{}]], ids=repr)
def test_a_body_that_is_no_object_is_refused(api: ApiClient, names: dict[str, str], body: Any) -> None:
    for method, path in BODIES:
        answer = api(method, path.format(**names), orjson.dumps(body), Content_Type="application/json")
        assert (answer.status, answer.faults) == (400, {"": "null" if body is None else "invalid"}), (method, path)


@pytest.mark.parametrize(
    "body", [{"\0": 1}, {"name": "\0"}, {"email": ["\0"]}, {"role": {"a": "\0"}}, {"x" * 5000: 1}], ids=repr
)
def test_strange_names_and_nul_characters_are_refused(api: ApiClient, names: dict[str, str], body: Any) -> None:
    for method, path in BODIES:
        answer = api(method, path.format(**names), body)
        assert (answer.status, answer.code) == (400, "validation_failed"), (method, path)


def test_a_body_that_is_too_large_is_refused(api: ApiClient, names: dict[str, str], settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    for method, path in BODIES:
        answer = api(method, path.format(**names), {"name": "x" * 1000})
        assert (answer.status, answer.code) == (413, "too_large"), (method, path)
        assert "1,000 bytes" in answer.json["detail"], (method, path)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=%00", "limit"),
        ("limit=1.5", "limit"),
        ("cursor=%00", "cursor"),
        ("cursor=made-up", "cursor"),
        ("cursor=" + "x" * 2000, "cursor"),
        ("page=2", "page"),
    ],
)
def test_wrong_parameters_of_a_list_are_refused_by_name(api: ApiClient, query: str, field: str) -> None:
    for resource in LISTS:
        answer = api.get(f"{resource}?{query}")
        assert answer.status == 400, resource
        assert [error["field"] for error in answer.json["errors"]] == [field], resource


def test_a_short_list_is_a_page_without_neighbours(cast: Cast) -> None:
    for resource in LISTS:
        answer = ApiClient(user=cast.alice).get(resource)
        assert answer.status == 200, resource
        assert set(answer.json) == {"results", "next", "previous"}, resource
        assert (answer.json["next"], answer.json["previous"]) == (None, None), resource


# --- what is never told


def test_a_fault_of_ours_says_no_more_than_its_number(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from apps.vault.services import contacts as service

    def broken(contact: Contact) -> str:
        raise RuntimeError(f"secret {contact.name}")

    # After the row is written and before the trail is: the worst moment.
    monkeypatch.setattr(service, "_label", broken)
    api = by_key(cast.account)
    api._client.raise_request_exception = False
    answer = api.post("contacts", {"name": "Zoë"})
    assert (answer.status, answer.code) == (500, "server_error")
    assert b"secret" not in answer.content
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    with tenant(cast.account):
        assert not Contact.objects.exists()
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_away_it_says_when_to_come_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    api = by_key(cast.account)
    person = Client(raise_request_exception=False)
    person.force_login(cast.alice)
    api._client.raise_request_exception = False
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", "1")
        connection.close()
        answer = api.get("account")
        page = person.get(f"/app/{cast.account.slug}/contacts/")
    connection.close()
    assert (answer.status, answer.code) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert "does not answer at the moment" in page.content.decode()
    assert api.get("account").status == 200


def test_a_sealed_vault_says_so(cast: Cast, settings: Any) -> None:
    from apps.vault.keys import forget_keys

    api = by_key(cast.account)
    make_contact(cast.account)
    settings.VAULT_MASTER_KEY_URI = "env://NO_SUCH_KEY"
    forget_keys()
    answer = api.get("contacts")
    assert (answer.status, answer.code) == (503, "sealed")
    assert "Retry-After" in answer.headers


def test_a_contact_that_does_not_decrypt_is_never_shown_and_the_trail_says_so(cast: Cast) -> None:
    from apps.vault.models import AuditEntry

    first, second = make_contact(cast.account), make_contact(cast.account)
    with tenant(cast.account), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vault_contact SET email = (SELECT email FROM vault_contact WHERE id = %s) WHERE id = %s",
            [second.id, first.id],
        )
    api = by_key(cast.account)
    api._client.raise_request_exception = False
    for path in ("contacts", f"contacts/{first.id}"):
        answer = api.get(path)
        assert (answer.status, answer.code) == (500, "undecryptable")
        assert second.email.encode() not in answer.content
    with tenant(cast.account):
        assert AuditEntry.objects.filter(action="vault.decryption_failed").count() == 2


def test_every_answer_has_an_id_and_a_callers_own_is_kept_when_it_is_harmless(api: ApiClient) -> None:
    assert api.get("account").headers["X-Request-ID"]
    assert api.get("account", X_Request_ID="my-request-0001").headers["X-Request-ID"] == "my-request-0001"
    for strange in ("short", "x" * 65, "with space 1", "<script>alert(1)</script>"):
        assert api.get("account", X_Request_ID=strange).headers["X-Request-ID"] != strange


# --- how it is built


def test_a_misspelt_or_forgotten_action_stops_the_product_at_start() -> None:
    with pytest.raises(UnknownAction):

        class _Misspelt(AccountView):
            actions: ClassVar = {"GET": "contacts.veiw"}

            def get(self, request: Any) -> None: ...

    with pytest.raises(ImproperlyConfigured):

        class _Forgotten(AccountView):
            actions: ClassVar = {"GET": "contacts.view"}

            def post(self, request: Any) -> None: ...


def test_every_resource_names_its_actions() -> None:
    views = [
        route.view
        for route in every_route()
        if route.shape.startswith("/api/v1/")
        and route.shape not in {"/api/v1/", "/api/v1/schema", "/api/v1/docs/", "/api/v1/docs"}
    ]
    assert views
    for view in views:
        assert issubclass(view.cls, AccountView), view  # type: ignore[attr-defined]
        assert view.cls.actions, view  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_a_list_of_contacts_takes_four_statements(cast: Cast) -> None:
    """Begin, scope, contacts, commit; the key, its account's keys and the permissions are known (G3)."""
    for _ in range(3):
        make_contact(cast.account)
    api = by_key(cast.account)
    api.get("contacts")
    with CaptureQueriesContext(connection) as queries:
        assert len(api.get("contacts").json["results"]) == 3
    statements = [query["sql"].split(" ", 1)[0].strip('"') for query in queries]
    assert len(statements) <= 4, [query["sql"] for query in queries]


def test_pages_of_people_are_not_kept_by_shared_caches(api: ApiClient) -> None:
    headers = api.get("contacts").headers
    assert "private" in headers["Cache-Control"]
    assert {"Authorization", "Cookie"} <= {name.strip() for name in headers["Vary"].split(",")}
