"""The audit trail through the API."""

from __future__ import annotations

import csv
import io

import orjson
import pytest
from django.test import Client

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from tests.api_client import ApiClient, by_key
from tests.factories import Cast, make_api_key
from tests.working import work_off

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-06")]


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.ADMIN)


def actions(api: ApiClient, query: str = "") -> list[str]:
    answer = api.get(f"audit?{query}")
    assert answer.status == 200, answer.content
    return [entry["action"] for entry in answer.json["results"]]


def test_what_happened_is_told_with_who_and_what_changed(api: ApiClient) -> None:
    made = api.post("contacts", {"name": "Zoë"}).json
    api.patch(f"contacts/{made['id']}", {"name": "Zoë Ørsted"}, X_Request_ID="request-0001", User_Agent="curl/8")
    entry = api.get("audit?limit=1").json["results"][0]
    assert {"id", "at", "action", "actor", "entity_type", "entity_id", "changes", "ip", "request_id", "hash"} <= set(
        entry
    )
    assert entry["action"] == "contact.updated"
    assert entry["changes"] == {"name": ["Zoë", "Zoë Ørsted"]}
    assert (entry["entity_type"], entry["entity_id"]) == ("contact", made["id"])
    assert (entry["request_id"], entry["user_agent"], entry["ip"]) == ("request-0001", "curl/8", "127.0.0.1")
    assert entry["actor_kind"] == "api_key"


def test_it_is_narrowed_by_entity_actor_action_and_time(api: ApiClient, cast: Cast) -> None:
    made = api.post("contacts", {"name": "Zoë"}).json
    ApiClient(user=cast.alice).patch("account", {"name": "Renamed"})
    everything = api.get("audit").json["results"]
    assert actions(api, f"entity={made['id']}") == ["contact.created"]
    assert actions(api, "entity=contact") == ["contact.created"]
    assert actions(api, f"actor={cast.alice.email}&action=account.*") == ["account.updated", "account.created"]
    assert actions(api, "actor=api_key") == ["contact.created"]
    assert actions(api, "action=contact.*") == ["contact.created"]
    newest = everything[0]["at"]
    assert actions(api, f"from={newest}") == [everything[0]["action"]]
    assert newest not in [entry["at"] for entry in api.get(f"audit?to={newest}").json["results"]]


def test_its_pages_follow_one_another_in_both_directions(api: ApiClient) -> None:
    for number in range(4):
        api.post("contacts", {"name": f"Contact {number}"})
    whole = [entry["seq"] for entry in api.get("audit").json["results"]]
    first = api.get("audit?limit=3").json
    second = api.get(f"audit?limit=3&cursor={first['next']}").json
    assert [entry["seq"] for page in (first, second) for entry in page["results"]] == whole[:6]
    back = api.get(f"audit?limit=3&cursor={second['previous']}").json
    assert back["results"] == first["results"]


@pytest.mark.parametrize(
    ("query", "field"), [("from=yesterday", "from"), ("to=x", "to"), ("who=me", "who"), ("cursor=x", "cursor")]
)
def test_wrong_parameters_are_refused_by_name(api: ApiClient, query: str, field: str) -> None:
    assert [error["field"] for error in api.get(f"audit?{query}").json["errors"]] == [field]


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_it_is_for_admins(cast: Cast, role: Role) -> None:
    for path in ("audit", "audit/report", "audit/proof"):
        assert by_key(cast.account, role).get(path).code == "permission_denied"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("accept", ["*/*", "text/csv"])
def test_the_report_is_csv_or_json_and_taking_it_is_recorded(cast: Cast, accept: str) -> None:
    key = make_api_key(cast.account, Role.ADMIN)
    ApiClient(key=key).post("contacts", {"name": "Zoë"})
    client, headers = Client(), {"Authorization": f"Bearer {key}", "Accept": accept}
    answer = client.get("/api/v1/audit/report?format=csv&action=contact.*", headers=headers)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert 'filename="audit-alice-co-' in answer.headers["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert [row["action"] for row in csv.DictReader(io.StringIO(text))] == ["contact.created"]
    answer = client.get("/api/v1/audit/report?format=json", headers=headers)
    found = orjson.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert [entry["seq"] for entry in found] == list(range(1, len(found) + 1))
    assert [entry["action"] for entry in found[-2:]] == ["audit.exported"] * 2


def test_a_report_in_another_format_is_refused(api: ApiClient) -> None:
    assert api.get("audit/report?format=pdf").faults == {"format": "invalid_choice"}


@pytest.mark.covers("X-02", "V-06")
@pytest.mark.django_db(transaction=True)
def test_an_account_checks_its_own_chain_and_keeps_its_end(cast: Cast) -> None:
    api = by_key(cast.account, Role.ADMIN)
    before = api.get("audit/proof").json
    assert (before["status"], before["checked_at"], before["entries"]) == ("not_checked", None, 0)
    latest = api.get("audit?limit=1").json["results"][0]
    assert (before["last_seq"], before["last_hash"]) == (latest["seq"], latest["hash"])
    begun = api.post("audit/proof")
    assert (begun.status, begun.json["kind"]) == (202, "audit.verify")
    assert api.post("audit/proof").json["id"] == begun.json["id"], "impatience makes no second job"
    assert api.get("audit/proof").json["status"] == "running"
    assert work_off(cast.account, "audit.verify") == ["done"]
    proof = api.get("audit/proof").json
    assert (proof["status"], proof["faults"], proof["error"]) == ("whole", [], "")
    assert proof["entries"] == proof["last_seq"]


@pytest.mark.covers("X-02")
@pytest.mark.django_db(transaction=True)
def test_what_somebody_edited_is_named(cast: Cast) -> None:
    from tests.vault.audit.conftest import _tampering

    with tenant(cast.account):
        audit.record("note.written", actor=Actor.system("test"), label="a note")
    with _tampering() as connection:
        connection.execute("UPDATE vault_auditentry SET action = 'note.read' WHERE action = 'note.written'")
        connection.commit()
    api = by_key(cast.account, Role.OWNER)
    api.post("audit/proof")
    work_off(cast.account, "audit.verify")
    proof = api.get("audit/proof").json
    assert proof["status"] == "broken"
    assert any("is not what was written" in fault for fault in proof["faults"])
