"""Projects of the embedded server are as far apart as accounts are: every route, and each wall alone.

The routes come from the server's own URL configuration, so a new one is tested without being listed here.
"""

from __future__ import annotations

import itertools
import re

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection

from apps.accounts.tenancy import models as tenancy
from apps.accounts.tenancy.models import WrongScope
from apps.accounts.tenancy.scope import NoScope
from apps.integrations.models import ZeroKey, ZeroMemory, ZeroProject, ZeroVector
from apps.integrations.models.zerodb_owned import ProjectModel
from apps.integrations.zerodb.server import urls, walls
from apps.integrations.zerodb.server.store.vectors import NewVector, store_vectors
from tests.contract.zerodb.conftest import Caller, connect

pytestmark = pytest.mark.covers("P-11", "A-07", "X-11")

BODIES = {
    "POST projects": {"name": "one more"},
    "generate": {"text": "x"},
    "batch": {"texts": ["x"]},
    "compare": {"text1": "x", "text2": "y"},
    "embed-and-store": {"text": "planted", "vector_id": "planted"},
    "embeddings/search": {"query": "secret"},
    "memory/search": {"query": "secret"},
    "database/memory": {"content": "planted"},
    "bulk": {"memories": [{"content": "planted"}]},
    "rlhf": {"interaction_type": "reply", "prompt": "planted", "response": "planted", "rating": 1},
    "memory/remember": {"agent_id": "a", "content": "planted"},
    "memory/recall": {"query": "secret"},
    "agent-memory": {"agent_id": "a", "run_id": "r", "memory_type": "goal", "content": "planted"},
    "POST tables": {"table_name": "planted", "schema": {"fields": {"a": "string"}}},
    "POST rows": {"row_data": {"a": "planted"}},
    "DELETE rows": {"filter": {}},
    "rows": {"filter": {}, "update": {"a": "planted"}},
    "rows/{object}": {"row_data": {"a": "planted"}},
    "query": {"filter": {}},
    "events": {"event_type": "planted", "data": {}},
    "status": {"status": "SUSPENDED"},
    "settings": {"planted": True},
    "metadata": {"metadata": {"planted": True}},
    "vectors/delete": {"id": "secret-id"},
    "DELETE vectors": {"delete_all": True},
    "PATCH projects": {"name": "planted"},
    "login": {"api_key": "zerodb_sk_unknown_key"},
    "refresh": {"refresh_token": "a.b.c"},
}


def body_for(method: str, shape: str, make_vector) -> dict | None:
    if method == "GET":
        return None
    if shape.endswith("vectors/batch"):
        return {"vectors": [{"id": "planted", "vector": make_vector(1)}]}
    if shape.endswith(("vectors/upsert", "vectors/batch-upsert")) or (method == "PUT" and shape.endswith("vectors")):
        return {"items": [{"id": "planted", "vector": make_vector(1)}]}
    if shape.endswith("vectors/search"):
        return {"query_vector": make_vector(1)}
    for end, body in BODIES.items():
        wanted, _, tail = end.rpartition(" ")
        if shape.endswith(tail) and wanted in ("", method):
            return body
    return {}


def every_route() -> list:
    """(method, shape, open to all) of each route; ``{project}`` and ``{object}`` vary."""
    found = []
    for pattern in urls.routes:
        shape = str(pattern.pattern)
        if not hasattr(pattern.callback, "methods"):
            continue  # "no such path", tested elsewhere
        for name in ("zerodb_scope", "zerodb_direct_or_header", "zerodb_direct"):
            shape = shape.replace(f"<{name}:scope>", "{project}/")
        shape = shape.replace("<str:project_id>", "{project}").replace("<zerodb_model:name>", "all-MiniLM-L6-v2")
        shape = shape.replace("<str:table>", "secrets").replace("<str:agent_id>", "a")
        shape = shape.replace("analytics/trends", "analytics/trends?metric=events")
        for argument in ("<str:vector_id>", "<str:memory_id>", "<str:row_id>", "<str:event_id>", "<path:below>"):
            shape = shape.replace(argument, "{object}")
        for method in pattern.callback.methods:
            found.append(pytest.param(method, shape, pattern.callback.open_to_all, id=f"{method} {shape}"))
    return found


each_route = pytest.mark.parametrize(("method", "shape", "open_to_all"), every_route())


class Neighbours:
    """Alice with one of everything in a project, a project of hers beside it, and Bob."""

    def __init__(self, base: str) -> None:
        self.alice, self.bob = Caller(base), Caller(base)
        self.project, self.other = self.alice.create_project(), self.alice.create_project()
        self.store = connect(base, self.project["api_key"])
        self.store.base_url = f"{self.store.base_url}{self.project['id']}/"
        self.secrets = one_of_everything(self.store)
        self.left = everything_in(self.store)

    def is_as_it_was_left(self) -> bool:
        """Whether Alice's project holds what it held when this was asked last."""
        before, self.left = self.left, everything_in(self.store)
        return "secret of Alice" in str(before) and self.left == before

    def close(self) -> None:
        for client in (self.alice.http, self.bob.http, self.store):
            client.close()


@pytest.fixture(scope="module")
def neighbours(zerodb_server, django_db_blocker):
    """For all tests that find nothing of Alice's changed: what one of them leaves is what the next one begins with."""
    with django_db_blocker.unblock():
        made = Neighbours(zerodb_server)
    yield made
    made.close()


def one_of_everything(store):
    """One of everything in Alice's project; the ids by which it could be asked for."""
    store.post("embeddings/embed-and-store", json={"text": "secret of Alice", "vector_id": "secret-id"})
    memory = store.post("database/memory", json={"content": "secret of Alice"}).json()["id"]
    entry = {"agent_id": "a", "run_id": "r", "memory_type": "goal", "content": "secret of Alice"}
    log = store.post("agent-memory", json=entry).json()["memory_id"]
    schema = {"fields": {"a": "string"}}
    assert store.post("database/tables", json={"table_name": "secrets", "schema": schema}).status_code == 201
    row = store.post("tables/secrets/rows", json={"row_data": {"a": "secret of Alice"}}).json()["row_ids"][0]
    event = store.post("database/events", json={"event_type": "e", "data": {"a": "secret of Alice"}}).json()["event_id"]
    return {
        "vectors": "secret-id",
        "database/memory": memory,
        "agent-memory": log,
        "rows": row,
        "events": event,
    }


def everything_in(store) -> list:
    """What the project holds, without what changes by itself."""
    reads = ["database/vectors", "database/memory", "agent-memory", "database/rlhf/stats"]
    reads += ["database/tables", "tables/secrets/rows", "database/events"]
    answers = [store.get(path).json() for path in reads]
    for answer in answers:
        answer.pop("processing_time_ms", None)
    return answers


@each_route
def test_nobody_gets_401_everywhere_but_at_the_open_routes(stranger, method, shape, open_to_all):
    path = shape.format(project="any", object="any")
    answer = stranger.request(method, path, json={})
    assert (answer.status_code == 401) is not open_to_all, answer.text


@each_route
def test_a_foreign_project_is_as_if_it_had_never_been(neighbours, make_vector, method, shape, open_to_all):
    if "{project}" not in shape:
        return  # the caller's own things: the tests of lists and of the default project
    object_id = next((found for place, found in neighbours.secrets.items() if place in shape), "none")
    body = body_for(method, shape, make_vector)
    answers = []
    for project_id in (neighbours.project["id"], "proj_never_created_at_all_by_anyone"):
        answer = neighbours.bob.http.request(method, shape.format(project=project_id, object=object_id), json=body)
        text = answer.text.replace(project_id, "ID")
        assert "secret of Alice" not in text
        answers.append((answer.status_code, answer.headers.get("content-type"), anonymous(text)))
    assert answers[0] == answers[1]
    assert neighbours.is_as_it_was_left()


def anonymous(text: str) -> str:
    """An answer without ids and times that are new in each."""
    text = re.sub(r'"[^"]*\d{4}-\d\d-\d\dT[^"]*"', '"TIME"', text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?:vec|mem|row|evt)_[0-9a-f]{16}|(?:tbl|run)_[0-9a-f]{12}", "ID", text)
    return re.sub(r'"(?:processing_time|search|count)_ms":[\d.]+', "", text)


@each_route
def test_a_key_of_another_project_finds_nothing(neighbours, make_vector, method, shape, open_to_all):
    if "{project}" not in shape:
        return  # without a project in the path a project key means its own project
    object_id = next((found for place, found in neighbours.secrets.items() if place in shape), "none")
    answer = neighbours.alice.http.request(
        method,
        shape.format(project=neighbours.project["id"], object=object_id),
        json=body_for(method, shape, make_vector),
        headers={"X-API-Key": neighbours.other["api_key"]},
    )
    expected = {(403, "IMMUTABLE_RECORD"), (403, "FORBIDDEN"), (404, "PROJECT_NOT_FOUND"), (404, "PATH_NOT_FOUND")}
    assert (answer.status_code, answer.json()["error_code"]) in expected, answer.text
    assert neighbours.is_as_it_was_left()


# --- each wall alone


@pytest.fixture
def two_projects(alice, bob, django_db_blocker):
    """(caller, project) of Alice and of Bob, with one vector each. No transaction is open around the test."""
    with django_db_blocker.unblock():
        found = []
        for caller in (alice, bob):
            created = caller.create_project()
            caller.http.post(f"{created['id']}/embeddings/embed-and-store", json={"text": f"of {caller.id}"})
            with walls.caller(caller.id):
                found.append((caller.id, ZeroProject.objects.get(public_id=created["id"]).id))
        yield found


def documents() -> list[str]:
    return list(ZeroVector.objects.values_list("document", flat=True))


def rows_in_sql(table: str = "integrations_zerovector") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


def test_row_security_holds_without_the_managers_filter(two_projects, monkeypatch):
    monkeypatch.setattr(tenancy.InScope, "as_sql", lambda *_, **__: ("TRUE", []))
    for caller_id, project_id in two_projects:
        with walls.caller(caller_id), walls.project(project_id):
            assert documents() == [f"of {caller_id}"]
            assert rows_in_sql() == 1
            assert {project.caller_id for project in ZeroProject.objects.all()} == {caller_id}
            assert {key.caller_id for key in ZeroKey.objects.all()} == {caller_id}


@pytest.fixture
def without_row_security(two_projects):
    """The tables of projects with wall two taken down."""
    tables = [model._meta.db_table for model in ProjectModel.__subclasses__()]
    owner = django_settings.MIGRATION_DATABASE_URL.rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    with psycopg.connect(owner, autocommit=True) as database:
        for table in tables:
            database.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        yield
        for table in tables:
            database.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def test_the_managers_filter_holds_without_row_security(two_projects, without_row_security, alice, bob):
    for caller_id, project_id in two_projects:
        with walls.caller(caller_id), walls.project(project_id):
            assert documents() == [f"of {caller_id}"]
    for caller in (alice, bob):
        (created,) = caller.http.get("projects").json()["projects"]
        hits = caller.http.post(f"{created['id']}/embeddings/search", json={"query": "of", "top_k": 100}).json()
        assert [hit["document"] for hit in hits["results"]] == [f"of {caller.id}"]
        assert caller.http.get(f"{created['id']}/database/vectors/stats").json()["count"] == 1


def test_without_a_scope_there_is_nothing_and_nothing_is_written(two_projects):
    for read in (documents, lambda: list(ZeroMemory.objects.all()), lambda: list(ZeroProject.objects.all())):
        with pytest.raises(NoScope):
            read()
    assert rows_in_sql() == 0
    with pytest.raises(NoScope):
        store_vectors("default", [NewVector("v", [0.0] * 384)], overwrite=True)


def _create(project_id):
    ZeroMemory.objects.create(project_id=project_id, content="x", embedding=[0] * 384, dimensions=384, model="m")


def _move(project_id):
    ZeroVector.objects.update(project_id=project_id)


def _insert_in_sql(project_id):
    columns = "id, project_id, memory_id, namespace, agent_id, run_id, memory_type, content, metadata, created_at"
    values = f"gen_random_uuid(), '{project_id}', 'mem_x', 'n', 'a', 'r', 'goal', 'c', '{{}}', now()"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO integrations_zeroagentmemory ({columns}) VALUES ({values})")


@pytest.mark.parametrize(
    ("write", "refusal", "words"),
    [
        (_create, WrongScope, "another owner"),
        (_move, WrongScope, "moved to another owner"),
        (_insert_in_sql, DatabaseError, "row-level security"),
    ],
)
def test_a_row_of_another_project_cannot_be_written(two_projects, write, refusal, words):
    (caller_id, mine), (_, theirs) = two_projects
    with pytest.raises(refusal, match=words), walls.caller(caller_id), walls.project(mine):
        write(theirs)


def test_scopes_of_callers_and_projects_nest_and_end(two_projects):
    for (caller_id, project_id), (_, other_id) in itertools.permutations(two_projects):
        with walls.caller(caller_id), walls.project(project_id):
            with walls.project(other_id):
                assert walls.current_project_id() == other_id
            assert documents() == [f"of {caller_id}"]
    assert walls.project_in_scope() is None and walls.caller_in_scope() is None
    assert rows_in_sql() == 0
