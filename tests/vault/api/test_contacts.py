"""Contacts through the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault import selectors
from apps.vault.models import AuditEntry, Contact
from tests.api_client import ApiClient, by_key
from tests.factories import Cast, make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-02", "A-10")]

ZOE = {
    "name": "Zoë Ørsted",
    "email": "Zoe@Mail.example",
    "phone": "020 7946 0142",
    "identifier": "CRM-7",
    "contact_type": "customer",
    "custom_attributes": {"city": "Århus", "tags": ["a", 1, None]},
}


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.MEMBER)


def test_a_created_contact_reads_back_as_it_was_sent(api: ApiClient) -> None:
    made = api.post("contacts", ZOE)
    assert made.status == 201
    assert made.headers["Location"] == f"/api/v1/contacts/{made.json['id']}"
    assert set(made.json) == set(selectors.COLUMNS)
    assert made.json | ZOE | {"phone": "+442079460142"} == made.json
    assert api.get(f"contacts/{made.json['id']}").json == made.json
    assert api.get("contacts").json == {"results": [made.json], "next": None, "previous": None}
    for name in ("last_activity_at", "created_at", "updated_at"):
        assert made.json[name].endswith("Z")
        assert datetime.fromisoformat(made.json[name]).tzinfo is not None


def test_nothing_of_it_lies_readable_in_the_table(api: ApiClient, cast: Cast) -> None:
    api.post("contacts", ZOE)
    with tenant(cast.account), connection.cursor() as cursor:
        cursor.execute("SELECT vault_contact::text FROM vault_contact")
        stored = cursor.fetchone()[0]
    for part in ("Zo", "ail.example", "7946", "CRM", "rhus"):
        assert part.encode().hex() not in stored
        assert part not in stored


@pytest.mark.parametrize(
    "query",
    [
        "email=zoe@mail.EXAMPLE",
        "phone=%2B442079460142",
        "phone=+44 20 7946 0142",
        "phone=02079460142",
        "identifier=CRM-7",
        "q=zoe@mail.example",
        "q=020 7946 0142",
        "q=+442079460142",
        "q=CRM-7",
        "email=zoe@mail.example&identifier=CRM-7",
        "contact_type=customer",
    ],
)
def test_it_is_found_by_exactly_what_it_holds(api: ApiClient, cast: Cast, query: str) -> None:
    made = api.post("contacts", ZOE)
    make_contact(cast.account)
    assert [found["id"] for found in api.get(f"contacts?{query}").json["results"]] == [made.json["id"]]


@pytest.mark.parametrize(
    "query",
    ["email=zoe@mail", "q=zoe", "phone=7946", "identifier=crm-7", "email=zoe@mail.example&identifier=x", "q=Zoë"],
)
def test_what_it_does_not_hold_finds_nothing(api: ApiClient, query: str) -> None:
    api.post("contacts", ZOE)
    assert api.get(f"contacts?{query}").json["results"] == []


BAD_VALUES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"name": "required"}),
    ({"name": " ", "email": ""}, {"name": "required"}),
    ({"name": 5}, {"name": "not_text"}),
    ({"name": ["x"]}, {"name": "not_text"}),
    ({"name": "x" * 201}, {"name": "max_length"}),
    ({"name": "a\nb"}, {"name": "control_character"}),
    ({"name": "a\u0000b"}, {"name": "null_characters_not_allowed"}),
    ({"email": "zoe"}, {"email": "email"}),
    ({"email": "a@b@c.example"}, {"email": "email"}),
    ({"email": "x" * 65 + "@mail.example"}, {"email": "email"}),
    ({"email": "x" * 250 + "@mail.example"}, {"email": "max_length"}),
    ({"phone": "12"}, {"phone": "too_short"}),
    ({"phone": "+44207946014212345"}, {"phone": "too_long"}),
    ({"phone": "call me"}, {"phone": "not_a_number"}),
    ({"phone": "+999123456789"}, {"phone": "no_country"}),
    ({"phone": "+442079460142 ext. 7"}, {"phone": "extension"}),
    ({"identifier": "x" * 201}, {"identifier": "max_length"}),
    ({"name": "x", "contact_type": "friend"}, {"contact_type": "invalid_choice"}),
    ({"name": "x", "contact_type": None}, {"contact_type": "null"}),
    ({"name": "x", "custom_attributes": ["a"]}, {"custom_attributes": "not_an_object"}),
    ({"name": "x", "custom_attributes": {"": 1}}, {"custom_attributes": "attribute_name"}),
    ({"name": "x", "custom_attributes": {"k" * 101: 1}}, {"custom_attributes": "attribute_name"}),
    ({"name": "x", "custom_attributes": {"k": "v" * 16_384}}, {"custom_attributes": "too_large"}),
    ({"name": "x", "custom_attributes": {"a": {"b": {"c": {"d": {"e": {}}}}}}}, {"custom_attributes": "too_deep"}),
    (
        {"name": "x", "custom_attributes": {"a": {"b": "\u0000"}}},
        {"custom_attributes.a.b": "null_characters_not_allowed"},
    ),
    ({"name": "x", "last_activity_at": "yesterday"}, {"last_activity_at": "invalid"}),
    ({"name": "x", "nick": "z"}, {"nick": "unknown"}),
    ({"name": 5, "email": "zoe", "phone": "12"}, {"name": "not_text", "email": "email", "phone": "too_short"}),
]


@pytest.mark.parametrize(("values", "faults"), BAD_VALUES)
def test_a_wrong_value_is_refused_by_name_and_rule_and_nothing_is_saved(
    api: ApiClient, cast: Cast, values: dict[str, Any], faults: dict[str, str]
) -> None:
    refused = api.post("contacts", values)
    assert (refused.status, refused.faults) == (400, faults)
    assert all(error["detail"] for error in refused.json["errors"])
    with tenant(cast.account):
        assert not Contact.objects.exists()


def test_several_levels_of_custom_attributes_are_kept(api: ApiClient) -> None:
    deep = {"a": {"b": {"c": {"d": 1}}}, "list": [[[1.5, "ü", True]]]}
    assert api.post("contacts", {"name": "x", "custom_attributes": deep}).json["custom_attributes"] == deep


@pytest.mark.parametrize("field", ["email", "phone", "identifier"])
def test_email_phone_and_identifier_are_unique_in_the_account(api: ApiClient, cast: Cast, field: str) -> None:
    api.post("contacts", ZOE)
    same = {"email": "ZOE@mail.example", "phone": "+44 20 7946 0142", "identifier": " CRM-7 "}[field]
    refused = api.post("contacts", {"name": "Other", field: same})
    assert (refused.status, refused.faults) == (400, {field: "unique"})
    elsewhere = by_key(cast.stranger_account).post("contacts", {"name": "Other", field: same})
    assert elsewhere.status == 201


def test_all_taken_values_are_named_at_once(api: ApiClient) -> None:
    api.post("contacts", ZOE)
    assert api.post("contacts", ZOE).faults == {"email": "unique", "phone": "unique", "identifier": "unique"}


def test_a_change_writes_what_differs_and_the_trail_says_what(api: ApiClient, cast: Cast) -> None:
    made = api.post("contacts", ZOE).json
    changed = api.patch(f"contacts/{made['id']}", {"email": "z@mail.example", "name": ZOE["name"]})
    assert changed.status == 200
    assert changed.json == made | {"email": "z@mail.example", "updated_at": changed.json["updated_at"]}
    assert changed.json["updated_at"] > made["updated_at"]
    with tenant(cast.account):
        entry = AuditEntry.objects.get(action="contact.updated")
        assert entry.entity_id == made["id"]
        assert entry.payload["changes"] == {"email": ["Zoe@Mail.example", "z@mail.example"]}
    assert api.get("contacts?email=zoe@mail.example").json["results"] == []
    assert len(api.get("contacts?email=z@mail.example").json["results"]) == 1


def test_a_change_of_nothing_writes_nothing(api: ApiClient, cast: Cast) -> None:
    made = api.post("contacts", ZOE).json
    assert api.patch(f"contacts/{made['id']}", ZOE).json == made
    with tenant(cast.account):
        assert not AuditEntry.objects.filter(action="contact.updated").exists()


def test_a_refused_change_leaves_the_contact_and_the_trail_as_they_were(api: ApiClient, cast: Cast) -> None:
    api.post("contacts", ZOE)
    other = api.post("contacts", {"name": "Other", "email": "other@mail.example"}).json
    refused = api.patch(f"contacts/{other['id']}", {"name": "Renamed", "email": "zoe@mail.example"})
    assert refused.faults == {"email": "unique"}
    assert api.get(f"contacts/{other['id']}").json == other
    with tenant(cast.account):
        assert not AuditEntry.objects.filter(action="contact.updated").exists()


def test_put_empties_what_it_does_not_name(api: ApiClient) -> None:
    made = api.post("contacts", ZOE).json
    replaced = api.put(f"contacts/{made['id']}", {"name": "Zoë"}).json
    assert replaced == made | {
        "name": "Zoë",
        "email": None,
        "phone": None,
        "identifier": None,
        "contact_type": "lead",
        "custom_attributes": {},
        "updated_at": replaced["updated_at"],
    }


def test_what_was_read_may_be_put_back_whole(api: ApiClient) -> None:
    made = api.post("contacts", ZOE).json
    assert api.put(f"contacts/{made['id']}", made).json == made


def test_the_last_name_of_a_contact_cant_be_taken_away(api: ApiClient) -> None:
    made = api.post("contacts", {"name": "Zoë"}).json
    assert api.patch(f"contacts/{made['id']}", {"name": None}).faults == {"name": "required"}


def test_a_deleted_contact_is_gone_and_its_address_is_free(api: ApiClient, cast: Cast) -> None:
    made = api.post("contacts", ZOE).json
    assert api.get(f"contacts/{made['id']}").status == 200
    assert api.delete(f"contacts/{made['id']}").status == 204
    assert api.get(f"contacts/{made['id']}").code == "not_found"
    assert api.delete(f"contacts/{made['id']}").code == "not_found"
    assert api.post("contacts", ZOE).status == 201
    with tenant(cast.account):
        changes = AuditEntry.objects.get(action="contact.deleted").payload["changes"]
    assert changes["email"] == ["Zoe@Mail.example", None]


def test_an_unchanged_contact_is_not_sent_again(api: ApiClient) -> None:
    made = api.post("contacts", ZOE)
    etag = made.headers["ETag"]
    path = f"contacts/{made.json['id']}"
    assert api.get(path).headers["ETag"] == etag
    unchanged = api.get(path, If_None_Match=etag)
    assert (unchanged.status, unchanged.content) == (304, b"")
    api.patch(path, {"name": "Zoë"})
    assert api.get(path, If_None_Match=etag).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_nobody_overwrites_what_they_have_not_seen(api: ApiClient, method: str) -> None:
    made = api.post("contacts", ZOE)
    path = f"contacts/{made.json['id']}"
    api.patch(path, {"name": "Zoë of Århus"})
    body = None if method == "DELETE" else {"name": "Lost"}
    refused = api(method, path, body, If_Match=made.headers["ETag"])
    assert (refused.status, refused.code) == (412, "precondition_failed")
    current = api.get(path)
    assert current.json["name"] == "Zoë of Århus"
    assert api(method, path, body, If_Match=current.headers["ETag"]).status in {200, 204}


def _ids(api: ApiClient, path: str) -> tuple[list[str], Any]:
    answer = api.get(path)
    assert answer.status == 200, answer.content
    return [row["id"] for row in answer.json["results"]], answer.json


@pytest.mark.parametrize("ordering", ["-last_activity_at", "name"])
def test_pages_follow_one_another_in_both_directions(api: ApiClient, cast: Cast, ordering: str) -> None:
    now = timezone.now()
    for number in range(7):
        # Three share a time and a name, so that only the id tells them apart.
        make_contact(cast.account, name=f"N{max(number, 4)}", last_activity_at=now - timedelta(hours=max(number, 4)))
    everything, whole = _ids(api, f"contacts?ordering={ordering}")
    assert len(everything) == 7
    assert (whole["next"], whole["previous"]) == (None, None)
    pages, cursor = [], ""
    while cursor is not None:
        ids, page = _ids(
            api,
            f"contacts?ordering={ordering}&limit=3&cursor={cursor}"
            if cursor
            else f"contacts?ordering={ordering}&limit=3",
        )
        pages.append(ids)
        cursor = page["next"]
    assert [len(ids) for ids in pages] == [3, 3, 1]
    assert [contact for ids in pages for contact in ids] == everything
    back, cursor = [], page["previous"]
    while cursor is not None:
        ids, page = _ids(api, f"contacts?ordering={ordering}&limit=3&cursor={cursor}")
        back.append(ids)
        cursor = page["previous"]
    assert back == [pages[1], pages[0]]
    assert page["next"] is not None


def test_a_page_is_stable_while_contacts_come_and_go(api: ApiClient, cast: Cast) -> None:
    now = timezone.now()
    old = [make_contact(cast.account, last_activity_at=now - timedelta(days=number)) for number in range(4)]
    first, page = _ids(api, "contacts?limit=2")
    make_contact(cast.account, last_activity_at=now + timedelta(minutes=1))
    with tenant(cast.account):
        Contact.objects.filter(pk=old[1].pk).delete()
    second, _ = _ids(api, f"contacts?limit=2&cursor={page['next']}")
    assert [*first, *second] == [str(contact.id) for contact in old]


def test_names_are_ordered_as_people_read_them(api: ApiClient, cast: Cast) -> None:
    for name in ("zoe", "Émile", "Anna", "emil", "Zacharias", None):
        make_contact(cast.account, name=name)
    names = [row["name"] for row in api.get("contacts?ordering=name").json["results"]]
    assert names == ["Anna", "emil", "Émile", "Zacharias", "zoe", None]


def test_a_cursor_of_names_does_not_show_a_name(api: ApiClient, cast: Cast) -> None:
    import base64

    for name in ("Anna", "Bertha"):
        make_contact(cast.account, name=name)
    cursor = api.get("contacts?ordering=name&limit=1").json["next"]
    content = base64.urlsafe_b64decode(cursor + "==")
    assert b"anna" not in content.lower()


def test_too_many_names_to_order_are_refused_in_words(
    api: ApiClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "MOST_BY_NAME", 2)
    for _ in range(3):
        make_contact(cast.account)
    assert api.get("contacts?ordering=name").faults == {"ordering": "too_many"}
    assert api.get("contacts?ordering=name&contact_type=customer").status == 200


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("limit=0", {"limit": "min_value"}),
        ("limit=201", {"limit": "max_value"}),
        ("limit=ten", {"limit": "invalid"}),
        ("ordering=email", {"ordering": "invalid_choice"}),
        ("contact_type=friend", {"contact_type": "invalid_choice"}),
        ("emial=x", {"emial": "unknown"}),
        ("email=a%00b", {"email": "null_characters_not_allowed"}),
        ("q=" + "x" * 301, {"q": "max_length"}),
    ],
)
def test_a_wrong_parameter_is_refused_by_name_and_rule(api: ApiClient, query: str, faults: dict[str, str]) -> None:
    assert api.get(f"contacts?{query}").faults == faults


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "ÿ", "eyJhIjoxfQ", "WyJjb250YWN0cyIsMCwxLDJd", "W10", "AAAA", "e" * 999]
)
@pytest.mark.parametrize("ordering", ["name", "-last_activity_at"])
def test_a_made_up_cursor_is_refused(api: ApiClient, cursor: str, ordering: str) -> None:
    refused = api.get(f"contacts?ordering={ordering}&cursor={cursor}")
    assert refused.status == 400
    assert refused.json["errors"][0]["field"] == "cursor"


def test_a_cursor_of_another_list_is_refused(api: ApiClient, cast: Cast) -> None:
    for _ in range(2):
        make_contact(cast.account)
    cursor = api.get("contacts?limit=1").json["next"]
    assert api.get(f"contacts?ordering=name&cursor={cursor}").code == "invalid_cursor"


def test_a_cursor_of_another_account_shows_nothing_of_it(api: ApiClient, cast: Cast) -> None:
    for _ in range(2):
        make_contact(cast.stranger_account)
    stranger = by_key(cast.stranger_account)
    assert api.get(f"contacts?cursor={stranger.get('contacts?limit=1').json['next']}").json["results"] == []
    by_name = stranger.get("contacts?limit=1&ordering=name").json["next"]
    assert api.get(f"contacts?ordering=name&cursor={by_name}").code == "invalid_cursor"


@pytest.mark.covers("A-07", "X-11")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_somebody_elses_contact_and_a_missing_one_answer_alike(api: ApiClient, cast: Cast, method: str) -> None:
    body = {"name": "Mine now"} if method in {"PUT", "PATCH"} else None
    foreign = make_contact(cast.stranger_account)
    answers = [api(method, f"contacts/{which}", body) for which in (foreign.id, uuid4())]
    assert [answer.code for answer in answers] == ["not_found"] * 2
    assert answers[0].indistinct == answers[1].indistinct
    with tenant(cast.stranger_account):
        assert Contact.objects.get(pk=foreign.pk).name == foreign.name


@pytest.mark.covers("A-05")
def test_a_viewer_reads_and_changes_nothing(cast: Cast) -> None:
    made = make_contact(cast.account)
    viewer = by_key(cast.account, Role.VIEWER)
    assert viewer.get("contacts").status == viewer.get(f"contacts/{made.id}").status == 200
    for refused in (
        viewer.post("contacts", {"name": "x"}),
        viewer.patch(f"contacts/{made.id}", {"name": "x"}),
        viewer.put(f"contacts/{made.id}", {"name": "x"}),
        viewer.delete(f"contacts/{made.id}"),
    ):
        assert (refused.status, refused.code) == (403, "permission_denied")


def test_a_statement_that_is_kept_holds_nobodys_account(api: ApiClient, cast: Cast) -> None:
    mine, theirs = make_contact(cast.account), make_contact(cast.stranger_account)
    stranger = by_key(cast.stranger_account)
    for _ in range(2):
        assert _ids(api, "contacts?limit=7")[0] == [str(mine.id)]
        assert _ids(stranger, "contacts?limit=7")[0] == [str(theirs.id)]


def test_the_counted_list_is_the_served_one(api: ApiClient, cast: Cast) -> None:
    """While statements are logged the list is read another way; both must answer alike."""
    for number in range(5):
        make_contact(cast.account, custom_attributes={"n": number, "city": "Århus"})
    served = api.get("contacts?limit=2").json
    after = api.get(f"contacts?limit=2&cursor={served['next']}").json
    with CaptureQueriesContext(connection):
        assert api.get("contacts?limit=2").json == served
        assert api.get(f"contacts?limit=2&cursor={served['next']}").json == after
        assert api.get(f"contacts?limit=2&cursor={after['previous']}").json["results"] == served["results"]
    assert api.get(f"contacts?limit=2&cursor={after['previous']}").json["results"] == served["results"]
