"""Section 4 of the contract: projects, tiers, limits, life cycle, who sees what."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx2
import pytest

pytestmark = pytest.mark.covers("P-11")


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def test_create_answers_the_whole_project_and_its_key_once(alice):
    answer = alice.http.post("projects", json={"name": "  Support desk ", "metadata": {"mark": "x1"}})
    assert answer.status_code == 201
    project = answer.json()
    assert str(UUID(project["id"])) == project["id"] == project["project_id"]
    assert project["name"] == "Support desk" and project["status"] == "ACTIVE" and project["tier"] == "free"
    assert project["database_enabled"] is True and project["settings"] == {} and project["metadata"] == {"mark": "x1"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", project["created_at"])
    assert project["api_key"].startswith("zerodb_sk_")
    shown = alice.http.get(f"projects/{project['id']}").json()
    assert "api_key" not in shown
    assert {name: shown[name] for name in shown if name in project and name != "usage"} == {
        name: value for name, value in project.items() if name != "api_key"
    }
    assert shown["usage"].keys() >= {"vectors_stored", "tables_created", "events_logged", "storage_mb"}


@pytest.mark.parametrize(
    ("fields", "failing"),
    [
        ({}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": "   "}, {"name"}),
        ({"name": "n" * 256}, {"name"}),
        ({"name": "ok", "description": "d" * 1001}, {"description"}),
        ({"name": 5, "settings": []}, {"name", "settings"}),
        ({"name": "ok", "database_enabled": "perhaps"}, {"database_enabled"}),
    ],
)
def test_bad_fields_are_all_named(alice, fields, failing):
    answer = alice.http.post("projects", json=fields)
    assert answer.status_code == 422 and answer.json()["error_code"] == "VALIDATION_ERROR"
    errors = answer.json()["validation_errors"]
    assert {error["loc"][-1] for error in errors} == failing
    assert all(error["loc"][0] == "body" and error["msg"] and error["type"] for error in errors)
    assert answer.json()["detail"].startswith(f"Validation error on field '{errors[0]['loc'][-1]}': ")
    assert alice.http.get("projects").json()["total"] == 0


def test_lengths_at_the_limit_are_accepted(alice):
    project = alice.create_project(name="n" * 255, description="d" * 1000)
    assert len(project["name"]) == 255


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("FREE", "free"),
        (" free ", "free"),
        ("Starter", "starter"),
        ("pro", "pro"),
        ("professional", "professional"),
        ("enterprise", "enterprise"),
        (None, "free"),
    ],
)
def test_tiers_are_accepted_in_any_case_and_answered_as_sent(alice, sent, answered):
    assert alice.create_project(tier=sent)["tier"] == answered


@pytest.mark.parametrize("tier", ["gold", "", 7])
def test_an_unknown_tier_is_refused_with_the_valid_ones(alice, tier):
    detail = refused(alice.http.post("projects", json={"name": "p", "tier": tier}), 422, "INVALID_TIER")
    for word in (str(tier), "free", "starter", "professional", "enterprise"):
        assert word in detail


def test_the_fourth_free_project_is_one_too_many_and_the_refusal_says_what_to_do(alice, bob):
    for _ in range(3):
        alice.create_project(tier="free")
    detail = refused(alice.http.post("projects", json={"name": "fourth"}), 429, "PROJECT_LIMIT_EXCEEDED")
    for words in ("Project limit exceeded", "tier 'free'", "3/3", "upgrade to 'starter'", "support@ainative.studio"):
        assert words in detail
    bob.create_project(tier="free")  # the limit is each caller's own
    assert alice.create_project(tier="starter")["tier"] == "starter"


def test_a_deleted_project_frees_its_place(alice):
    projects = [alice.create_project(tier="free") for _ in range(3)]
    alice.http.delete(f"projects/{projects[0]['id']}")
    assert alice.http.post("projects", json={"name": "fits again"}).status_code == 201


def test_two_creates_at_once_cannot_both_take_the_last_place(alice):
    alice.create_project(tier="free")
    alice.create_project(tier="free")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: alice.http.post("projects", json={"name": f"p{n}"}), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 429, 429, 429]


def test_the_products_own_caller_has_no_limit(make_caller):
    caller = make_caller(unlimited=True)
    assert [caller.create_project(tier="free")["tier"] for _ in range(5)] == ["free"] * 5


def test_the_list_has_exactly_the_short_form(alice):
    created = alice.create_project(name="One", tier="pro")
    answer = alice.http.get("projects").json()
    assert answer == {
        "projects": [{"id": created["id"], "name": "One", "status": "ACTIVE", "tier": "PRO"}],
        "total": 1,
    }


def test_a_page_adds_the_long_form(alice):
    ids = [alice.create_project(name=f"p{number}")["id"] for number in range(4)]
    answer = alice.http.get("projects", params={"limit": 2, "offset": 1}).json()
    assert (answer["total"], answer["limit"], answer["offset"]) == (4, 2, 1)
    assert [item["id"] for item in answer["items"]] == [item["id"] for item in answer["projects"]] == ids[1:3]
    assert answer["items"][0]["tier"] == "pro"
    assert alice.http.get("projects", params={"status": "suspended"}).json()["items"] == []
    assert alice.http.get("projects", params={"tier": "free"}).json()["total"] == 0


def test_unknown_foreign_and_deleted_projects_answer_alike(alice, bob, project):
    gone = alice.create_project()
    alice.http.delete(f"projects/{gone['id']}")
    cases = [(bob, project["id"]), (alice, gone["id"]), (alice, "proj_never_created"), (alice, str(UUID(int=5)))]
    for caller, project_id in cases:
        for method, path, body in [
            ("GET", "", None),
            ("PATCH", "", {"name": "stolen"}),
            ("DELETE", "", None),
            ("PATCH", "/settings", {"features": {"semantic_search": False}}),
            ("PUT", "/status", {"status": "SUSPENDED"}),
            ("POST", "/api-key", None),
            ("GET", "/statistics", None),
            ("GET", "/collections", None),
        ]:
            answer = caller.http.request(method, f"projects/{project_id}{path}", json=body)
            assert refused(answer, 404, "PROJECT_NOT_FOUND") == f"Project not found: {project_id}"
    assert alice.http.get(f"projects/{project['id']}").json()["name"] == "A project"


def test_nobody_sees_another_callers_projects(alice, bob):
    alice.create_project()
    assert bob.http.get("projects").json() == {"projects": [], "total": 0}


def test_change_sets_what_was_sent_and_names_it(alice, project):
    answer = alice.http.patch(
        f"projects/{project['id']}", json={"name": "Renamed", "metadata": {"a": 1}, "tier": "enterprise"}
    ).json()
    assert answer["updated_fields"] == ["metadata", "name", "tier"]
    assert (answer["name"], answer["metadata"], answer["tier"]) == ("Renamed", {"a": 1}, "enterprise")
    assert answer["description"] == project["description"]
    assert answer["updated_at"] > project["updated_at"]


def test_settings_are_merged_not_replaced(alice):
    project = alice.create_project(settings={"embeddings_model": "m", "features": {"agent_memory": True}})
    answer = alice.http.patch(f"projects/{project['id']}/settings", json={"features": {"semantic_search": True}}).json()
    assert answer["settings"] == {
        "embeddings_model": "m",
        "features": {"agent_memory": True, "semantic_search": True},
    }
    wrong = alice.http.patch(f"projects/{project['id']}/settings", json={"features": {"semantic_search": "yes"}})
    assert refused(wrong, 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_status_goes_there_and_back(alice, project, method):
    path = f"projects/{project['id']}/status"
    for sent, answered in [("suspended", "SUSPENDED"), ("Active", "ACTIVE"), ("ARCHIVED", "ARCHIVED")]:
        answer = alice.http.request(method, path, json={"status": sent, "reason": "because"})
        assert answer.json() == {"id": project["id"], "name": "A project", "status": answered, "tier": "pro"}
    refused(alice.http.request(method, path, json={"status": "asleep"}), 422, "INVALID_PROJECT_STATUS")
    assert alice.http.request(method, path, json={}).status_code == 422


def test_delete_answers_200_and_leaves_nothing(alice, project, store):
    assert alice.http.post(f"{project['id']}/database/memory", json={"content": "fact"}).status_code == 201
    answer = alice.http.delete(f"projects/{project['id']}")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": project["id"],
        "project_id": project["id"],
        "status": "DELETED",
        "deleted": True,
        "deleted_items": {},
    }
    refused(alice.http.delete(f"projects/{project['id']}"), 404, "PROJECT_NOT_FOUND")
    refused(alice.http.post(f"{project['id']}/database/memory", json={"content": "again"}), 404, "PROJECT_NOT_FOUND")
    refused(store.get("database/memory"), 404, "PROJECT_NOT_FOUND")
    assert alice.http.get("projects").json()["total"] == 0


def test_a_suspended_project_can_be_read_but_not_changed(alice, project, store):
    store.post("embeddings/embed-and-store", json={"text": "kept", "vector_id": "v1"})
    alice.http.put(f"projects/{project['id']}/status", json={"status": "suspended"})
    assert store.post("embeddings/search", json={"query": "kept"}).json()["total_results"] == 1
    assert alice.http.get(f"projects/{project['id']}").json()["status"] == "SUSPENDED"
    for method, path, body in [
        ("POST", "embeddings/embed-and-store", {"text": "new"}),
        ("DELETE", "database/vectors/v1", None),
        ("POST", "database/memory", {"content": "new"}),
        ("POST", "agent-memory", {"agent_id": "a", "run_id": "r", "memory_type": "goal", "content": "c"}),
    ]:
        refused(store.request(method, path, json=body), 403, "PROJECT_SUSPENDED")
    alice.http.put(f"projects/{project['id']}/status", json={"status": "active"})
    assert store.post("embeddings/embed-and-store", json={"text": "new"}).status_code == 200


def test_a_project_key_reaches_its_own_project_and_nothing_else(alice, project, store, zerodb_server):
    other = alice.create_project()
    with httpx2.Client(base_url=f"{zerodb_server}/v1/public/", headers={"X-API-Key": project["api_key"]}) as http:
        assert http.get(f"projects/{project['id']}").status_code == 200
        assert http.patch(f"projects/{project['id']}/settings", json={"a": 1}).status_code == 200
        assert [item["id"] for item in http.get("projects").json()["projects"]] == [project["id"]]
        for path in (other["id"], "proj_never_created"):
            refused(http.get(f"projects/{path}"), 404, "PROJECT_NOT_FOUND")
            refused(http.post(f"{path}/embeddings/search", json={"query": "x"}), 404, "PROJECT_NOT_FOUND")
            headers = {"X-Project-ID": path}
            refused(http.get("database/memory", headers=headers), 404, "PROJECT_NOT_FOUND")
        refused(http.post("projects", json={"name": "mine"}), 403, "FORBIDDEN")
        refused(http.delete(f"projects/{project['id']}"), 403, "FORBIDDEN")
        refused(http.post(f"projects/{project['id']}/api-key"), 403, "FORBIDDEN")


def test_a_new_key_takes_the_place_of_a_lost_one(alice, project, store):
    assert store.get("database/memory").status_code == 200
    answer = alice.http.post(f"projects/{project['id']}/api-key")
    assert answer.status_code == 201
    assert store.get("database/memory").status_code == 401
    fresh = {"X-API-Key": answer.json()["api_key"]}
    assert store.get("database/memory", headers=fresh).status_code == 200


@pytest.mark.parametrize("shape", ["{id}/", "projects/{id}/", ""])
def test_a_never_created_id_is_an_empty_project_of_the_caller_alone(alice, bob, shape):
    for caller in (alice, bob):
        path = shape.format(id="proj_from_an_old_script")
        headers = {} if shape else {"X-Project-ID": "proj_from_an_old_script"}
        search = {"query": "hello"}
        assert caller.http.post(f"{path}embeddings/search", json=search, headers=headers).json()["results"] == []
        stored = caller.http.post(
            f"{path}embeddings/embed-and-store", json={"text": f"of {caller.id}"}, headers=headers
        )
        assert stored.status_code == 200, stored.text
        found = caller.http.post(f"{path}embeddings/search", json=search, headers=headers).json()["results"]
        assert [hit["document"] for hit in found] == [f"of {caller.id}"]
        assert caller.http.get("projects").json()["total"] == 0
        refused(caller.http.get("projects/proj_from_an_old_script"), 404, "PROJECT_NOT_FOUND")


def test_a_foreign_projects_id_leads_to_the_callers_own_space_not_to_the_project(alice, bob, project, store):
    store.post("embeddings/embed-and-store", json={"text": "secret of Alice"})
    found = bob.http.post(f"{project['id']}/embeddings/search", json={"query": "secret"}).json()
    assert found["results"] == []
    bob.http.post(f"{project['id']}/embeddings/embed-and-store", json={"text": "planted by Bob"})
    documents = [hit["document"] for hit in store.post("embeddings/search", json={"query": "secret"}).json()["results"]]
    assert documents == ["secret of Alice"]


def test_implicit_projects_can_be_switched_off(alice, settings):
    settings.ZERODB_IMPLICIT_PROJECTS = False
    refused(alice.http.post("proj_any/embeddings/search", json={"query": "x"}), 404, "PROJECT_NOT_FOUND")
    assert alice.http.post("embeddings/search", json={"query": "x"}).status_code == 200


def test_without_a_description_it_is_null(alice):
    project = alice.create_project()
    assert project["description"] is None and alice.http.get(f"projects/{project['id']}").json()["description"] is None
