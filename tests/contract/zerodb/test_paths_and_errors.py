"""Sections 1, 3 and 9: path forms, bases, and one shape for every refusal."""

import re
from datetime import date

import httpx2
import pytest

pytestmark = pytest.mark.covers("P-11")

BASES = ["v1/public", "api/v1", "api/v1/public", "v1"]


@pytest.fixture
def at(alice, zerodb_server):
    """Requests to any path under the server's root."""
    with httpx2.Client(base_url=f"{zerodb_server}/", headers={"X-API-Key": alice.key}) as client:
        yield client


@pytest.mark.parametrize("base", BASES)
def test_every_base_reaches_the_same_store(at, alice, project, base):
    document = f"written under {base}"
    answer = at.post(f"{base}/{project['id']}/embeddings/embed-and-store", json={"text": document})
    assert answer.status_code == 200, answer.text
    found = alice.http.post(f"{project['id']}/embeddings/search", json={"query": document}).json()["results"]
    assert found[0]["document"] == document and found[0]["score"] >= 0.99


@pytest.mark.parametrize("base", ["", *(f"/{base}" for base in BASES)])
def test_a_base_says_what_it_is_with_and_without_its_last_slash(zerodb_server, base):
    for address in (f"{zerodb_server}{base}", f"{zerodb_server}{base}/"):
        answer = httpx2.get(address)
        assert answer.status_code == 200 and {"name", "version"} <= set(answer.json()), address
        refusal = httpx2.post(address, json={})
        assert (refusal.status_code, refusal.json()["error_code"]) == (405, "METHOD_NOT_ALLOWED"), address


def test_every_form_of_path_reaches_the_same_store(alice, project, make_vector):
    project_id, header = project["id"], {"X-Project-ID": project["id"]}
    writes = [
        (f"{project_id}/database/vectors/upsert", {}),
        (f"projects/{project_id}/database/vectors/upsert", {}),
        ("database/vectors/upsert", header),
        ("vectors/upsert", header),
        (f"{project_id}/vectors/upsert", {}),
    ]
    for number, (path, headers) in enumerate(writes):
        body = {"id": f"v{number}", "vector": make_vector(number)}
        assert alice.http.post(path, json=body, headers=headers).status_code == 200, path
    for path, headers in [
        (f"{project_id}/database/vectors", {}),
        (f"projects/{project_id}/database/vectors", {}),
        ("database/vectors", header),
        ("vectors", header),
        (f"{project_id}/vectors", {}),
    ]:
        listed = alice.http.get(path, headers=headers).json()
        assert {vector["id"] for vector in listed["vectors"]} == {"v0", "v1", "v2", "v3", "v4"}, path


def test_the_path_wins_over_the_header(alice, project):
    other = alice.create_project()
    alice.http.post(f"{project['id']}/database/memory", json={"content": "here"}, headers={"X-Project-ID": other["id"]})
    assert alice.http.get(f"{project['id']}/database/memory").json()["total"] == 1
    assert alice.http.get(f"{other['id']}/database/memory").json()["total"] == 0


def test_a_project_key_needs_no_project_in_the_path(project, zerodb_server):
    with httpx2.Client(base_url=f"{zerodb_server}/v1/public/", headers={"X-API-Key": project["api_key"]}) as http:
        assert http.post("embeddings/embed-and-store", json={"text": "by key alone"}).status_code == 200
        assert http.get("vectors").json()["total"] == 1
        assert http.get(f"{project['id']}/database/vectors").json()["total"] == 1


def test_without_any_project_a_caller_has_a_default_one(alice, bob, at, make_vector):
    assert at.post("database/vectors/upsert", json={"id": "root", "vector": make_vector(1)}).status_code == 200
    assert alice.http.get("database/vectors").json()["total"] == 1
    assert bob.http.get("database/vectors").json()["total"] == 0


def refused_path(answer: httpx2.Response) -> tuple[int, str, bool]:
    """Status, code, and whether the words name the path."""
    problem = answer.json()
    return answer.status_code, problem.get("error_code", ""), answer.request.url.path in problem.get("detail", "")


NO_SUCH_PATH = (404, "PATH_NOT_FOUND", True)


@pytest.mark.parametrize(
    "path",
    [
        "proj_never_created/vectors/upsert",
        "proj_never_created/vectors/search",
        "proj_never_created/vectors/list",
        "vectors/upsert",
        "nowhere",
        "projects/a/b/c/d",
        "proj_x/database/embeddings/generate",
        "projects/proj_x/vectors/upsert",
    ],
)
def test_paths_that_do_not_exist_are_named(alice, path):
    assert refused_path(alice.http.post(path, json={})) == NO_SUCH_PATH


@pytest.mark.parametrize("path", ["", "v1/public/x/y", "v2/projects", "api/v2/projects"])
def test_paths_outside_of_the_bases_do_not_exist(at, path):
    if path:
        assert refused_path(at.get(path)) == NO_SUCH_PATH
    else:
        assert at.get(path).status_code == 200


def test_a_wrong_method_is_405_and_says_which_are_right(alice):
    answer = alice.http.delete("projects")
    assert answer.status_code == 405 and answer.json()["error_code"] == "METHOD_NOT_ALLOWED"
    assert answer.headers["allow"] == "GET, POST"


def test_earlier_forms_of_a_path_say_that_they_are_no_longer_to_be_used(alice, at, project):
    named = {"X-Project-ID": project["id"], "X-API-Key": alice.key}
    for address in (f"v1/public/{project['id']}/vectors/stats", "database/vectors/stats"):
        answer = at.get(address, headers=named)
        assert answer.status_code == 200 and answer.headers["x-deprecated-endpoint"] == "true"
        assert date.fromisoformat(answer.headers["x-sunset-date"]) > date(2027, 12, 1)
    for address in (f"v1/public/{project['id']}/database/vectors/stats", "v1/public/vectors/stats", "health"):
        answer = at.get(address, headers=named)
        assert answer.status_code == 200 and "x-deprecated-endpoint" not in answer.headers


@pytest.mark.parametrize("path", ["health", "projects", "embeddings/models"])
def test_a_head_is_a_get_without_its_body(alice, path):
    answer = alice.http.head(path)
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers["content-type"] == "application/json"


REFUSALS = [
    ("GET", "nowhere", None),
    ("DELETE", "projects", None),
    ("POST", "projects", b"{not json"),
    ("POST", "projects", b'["a list"]'),
    ("POST", "projects", b'{"name": NaN}'),
    ("POST", "projects", b'{"name": "\\u0000"}'),
    ("POST", "projects", b"{}"),
    ("POST", "projects", b'{"name": "x", "tier": "gold"}'),
    ("GET", "projects/none", None),
    ("GET", "projects?limit=many", None),
    ("POST", "p/embeddings/generate", b'{"text": "x", "model": "gpt-4"}'),
    ("POST", "p/embeddings/search", b'{"query": "x", "metadata_filter": {"a": {"$no": 1}}}'),
    ("POST", "p/embeddings/search", b'{"query": "x", "namespace": "../etc"}'),
    ("POST", "p/database/vectors/upsert", b'{"vector_embedding": [1, 2], "document": "d"}'),
    ("GET", "p/database/vectors/none", None),
    ("GET", "p/database/memory/none", None),
    ("GET", "p/agent-memory/none", None),
    ("PUT", "p/agent-memory/mem_1", b"{}"),
]


@pytest.mark.parametrize(("method", "path", "body"), REFUSALS)
def test_every_refusal_has_one_shape_and_is_the_same_again(alice, method, path, body):
    first, second = (alice.http.request(method, path, content=body) for _ in range(2))
    assert 400 <= first.status_code < 500
    assert first.headers["content-type"] == "application/json"
    answer = first.json()
    assert isinstance(answer["detail"], str) and answer["detail"]
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", answer["error_code"])
    assert "processing_time_ms" not in answer
    assert (second.status_code, second.json()) == (first.status_code, answer)
    if first.status_code == 422:
        places = {entry["loc"][0] for entry in answer["validation_errors"]}
        assert places == ({"query"} if "?" in path else {"body"})


def test_unknown_fields_are_ignored(alice):
    answer = alice.http.post("projects", json={"name": "p", "no_such_field": 1, "tier": "pro"})
    assert answer.status_code == 201 and "no_such_field" not in answer.json()


def test_two_missing_fields_are_two_entries(alice, project):
    answer = alice.http.post(f"{project['id']}/agent-memory", json={"content": "c", "memory_type": "goal"}).json()
    assert [entry["loc"] for entry in answer["validation_errors"]] == [["body", "agent_id"], ["body", "run_id"]]
    assert all("missing" in entry["type"] for entry in answer["validation_errors"])


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("projects/%00", 404),
        ("projects/%00/database/memory", 404),
        ("database/vectors/%00", 404),
        ("database/memory?search=%00", 422),
        ("database/vectors?offset=99999999999999999999", 422),
    ],
)
def test_what_the_database_could_not_take_is_refused_in_words(alice, address, status):
    answer = alice.http.get(address)
    assert answer.status_code == status, answer.text
    assert answer.json()["error_code"] in {"PATH_NOT_FOUND", "VALIDATION_ERROR"}


def test_a_body_too_deep_to_be_written_again_is_refused(alice):
    for inner in ("1", '"\\u0000"'):
        body = '{"name": "deep", "metadata": ' + '{"a": ' * 900 + inner + "}" * 901
        answer = alice.http.post("projects", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error_code"]) == (422, "VALIDATION_ERROR"), answer.text


HUGE = {"of_18_digits": 10**18, "beyond_64_bits": 1e20, "the_largest": 1.5e308, "small": 5e-324}


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "projects/{id}/settings", HUGE, "settings"),
        ("PATCH", "projects/{id}", {"metadata": HUGE}, "metadata"),
        ("POST", "{id}/database/memory", {"content": "c", "metadata": HUGE}, "metadata"),
        ("POST", "{id}/database/events", {"event_type": "e", "data": HUGE}, "data"),
        ("POST", "{id}/embeddings/embed-and-store", {"text": "t", "vector_id": "v", "metadata": HUGE}, "metadata"),
    ],
)
def test_numbers_of_any_size_are_kept_and_answered(alice, project, method, path, body, field):
    made = alice.http.request(method, path.format(id=project["id"]), json=body)
    assert made.status_code in (200, 201), made.text
    place = path.format(id=project["id"]).removesuffix("/settings")
    if method == "POST":
        ids = made.json()
        place = place.replace("embeddings/embed-and-store", "database/vectors")
        place += f"/{ids.get('vector_id') or ids.get('event_id') or ids['id']}"
    answer = alice.http.get(place, params={"include_vector": "true"})
    assert answer.status_code == 200, answer.text
    assert answer.json()[field] == HUGE
