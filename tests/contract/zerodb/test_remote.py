"""Section 1 of the contract: the RPC door, ``mcp/execute`` and ``mcp/operations``."""

import httpx2
import pytest

from apps.integrations.zerodb.server.remote.operations import OPERATIONS

pytestmark = pytest.mark.covers("P-11")

DOOR = "zerodb/mcp/execute"


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


@pytest.fixture
def do(alice):
    """Do an operation, and have its answer."""

    def call(operation: str, **params) -> dict:
        answer = alice.http.post(DOOR, json={"operation": operation, "params": params})
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.json()["processing_time_ms"], int)
        return answer.json()

    return call


def test_it_stands_under_the_address_that_its_client_uses(alice, zerodb_server):
    with httpx2.Client(headers={"X-API-Key": alice.key}) as http:
        base = f"{zerodb_server}/api/v1/public"
        assert http.get(f"{base}/health").json()["status"] == "healthy"
        listed = http.get(f"{base}/zerodb/mcp/operations").json()
        assert {operation["name"] for operation in listed["operations"]} == set(OPERATIONS)
        assert http.post(f"{base}/{DOOR}", json={"operation": "list_projects"}).status_code == 200


def test_nobody_without_a_key(stranger):
    for answer in (stranger.post(DOOR, json={}), stranger.get("zerodb/mcp/operations")):
        assert answer.status_code == 401


def test_an_operation_is_there_or_422(alice):
    assert "fly" in refused(alice.http.post(DOOR, json={"operation": "fly"}), 422)
    refused(alice.http.post(DOOR, json={}), 422)
    refused(alice.http.post(DOOR, json={"operation": "list_projects", "params": []}), 422)
    refused(alice.http.post(DOOR, json={"operation": "get_vector", "params": {}}), 422)


def test_projects(do):
    made = do("create_project", name="By operation", tier="pro")
    assert made["project_id"] == made["id"] and made["api_key"]
    assert do("get_project", project_id=made["id"])["usage"]["vectors_stored"] == 0
    assert do("update_project", project_id=made["id"], name="Other")["updated_fields"] == ["name"]
    assert [project["name"] for project in do("list_projects", limit=10, filters={"tier": "pro"})["projects"]] == [
        "Other"
    ]
    assert do("get_project_stats", project_id=made["id"])["vectors_stored"] == 0
    assert do("delete_project", project_id=made["id"], confirm=True)["deleted"] is True


def test_vectors(do, project, make_vector):
    here = {"project_id": project["id"]}
    made = do("upsert_vector", **here, embedding=make_vector(1), document="one", metadata={"a": 1})
    many = [{"embedding": make_vector(n), "document": str(n)} for n in (2, 3)]
    assert do("batch_upsert_vectors", **here, vectors=many)["inserted"] == 2
    found = do("search_vectors", **here, query_vector=make_vector(1), limit=10)["results"]
    assert [hit["vector_id"] for hit in found] == [made["vector_id"]]  # the client's own threshold is 0.7
    assert do("get_vector", **here, vector_id=made["vector_id"])["document"] == "one"
    assert do("list_vectors", **here, filters={"namespace": "default"}, limit=2)["total"] == 3
    assert do("vector_stats", **here)["count"] == 3
    assert do("delete_vector", **here, vector_id=made["vector_id"])["deleted"] is True


def test_embeddings(do, project):
    assert do("list_embedding_models")["default_model"] == "BAAI/bge-small-en-v1.5"
    assert do("embedding_health_check")["status"] == "healthy"
    assert do("generate_embeddings", texts=["a", "b"])["count"] == 2
    stored = do("embed_and_store", project_id=project["id"], texts=["A refund", "Snow"], metadata_list=[])
    assert stored["vectors_stored"] == 2
    found = do("semantic_search", project_id=project["id"], query="A refund", threshold=0.9)
    assert [hit["document"] for hit in found["results"]] == ["A refund"]


def test_tables(do, project):
    here = {"project_id": project["id"], "table_name": "users"}
    made = do("create_table", **here, schema_definition={"name": "string", "age": "integer"}, indexes=["name"])
    assert made["table_id"] == made["id"] and made["schema"]["fields"]["age"] == "integer"
    assert do("insert_rows", **here, rows=[{"name": "A", "age": 1}, {"name": "B", "age": 2}])["inserted_count"] == 2
    rows = do("query_rows", **here, filters={"age": {"$gte": 1}}, sort_by="age", order="desc")["rows"]
    assert [row["name"] for row in rows] == ["B", "A"]
    assert do("update_rows", **here, filters={"name": "A"}, updates={"age": 5})["modified_count"] == 1
    assert do("delete_rows", **here, filters={"name": "B"})["deleted_count"] == 1
    assert do("list_tables", project_id=project["id"])["tables"][0]["row_count"] == 1
    assert do("get_table", **here)["table_name"] == "users"
    assert do("delete_table", **here)["rows_deleted"] == 1


def test_events_memory_and_feedback(do, project):
    here = {"project_id": project["id"]}
    event = do("create_event", **here, event_type="login", event_data={"user": 1}, source="sdk")
    assert do("get_event", **here, event_id=event["event_id"])["data"] == {"user": 1}
    assert do("list_events", **here, limit=5, filters={"event_type": "login"})["total"] == 1
    assert do("event_stats", **here)["by_type"] == {"login": 1}
    fact = do("store_memory", **here, content="Prefers e-mail")
    assert do("search_memory", **here, query="contact")["results"][0]["id"] == fact["id"]
    assert do("remember", **here, agent_id="a", content="x")["memory_id"].startswith("mem_")
    rated = do("rlhf_collect_interaction", **here, interaction_type="chat", user_input="q", agent_response="a")
    assert rated["prompt"] == "q" and do("rlhf_get_summary", **here)["total"] == 1


def test_a_refusal_is_the_routes_own(alice, bob, project, make_vector):
    def attempt(caller, operation: str, **params) -> httpx2.Response:
        return caller.http.post(DOOR, json={"operation": operation, "params": params})

    refused(attempt(alice, "get_project", project_id="none"), 404, "PROJECT_NOT_FOUND")
    refused(attempt(bob, "get_project", project_id=project["id"]), 404, "PROJECT_NOT_FOUND")
    refused(attempt(alice, "get_vector", project_id=project["id"], vector_id="none"), 404, "VECTOR_NOT_FOUND")
    refused(attempt(alice, "upsert_vector", project_id=project["id"], embedding=[1]), 422, "DIMENSION_MISMATCH")
    alice.http.patch(f"projects/{project['id']}/status", json={"status": "SUSPENDED"})
    answer = attempt(alice, "upsert_vector", project_id=project["id"], embedding=make_vector(1))
    refused(answer, 403, "PROJECT_SUSPENDED")


def test_a_foreign_project_is_as_if_it_had_never_been(alice, bob, project):
    params = {"project_id": project["id"], "content": "secret of Alice"}
    alice.http.post(DOOR, json={"operation": "store_memory", "params": params})
    bodies = [
        bob.http.post(DOOR, json={"operation": "list_memories", "params": {"project_id": name}}).json()
        for name in (project["id"], "proj_never_created")
    ]
    for body in bodies:
        body.pop("processing_time_ms")
    assert bodies[0] == bodies[1] and bodies[0]["memories"] == []
