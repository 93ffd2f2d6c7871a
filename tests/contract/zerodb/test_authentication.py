"""Section 2 of the contract: who may come in, and what a refusal says."""

from datetime import timedelta

import httpx2
import jwt
import pytest

from apps.integrations.zerodb.server import tokens

pytestmark = pytest.mark.covers("P-11")

MISSING = "Authentication required. Provide X-API-Key or Authorization Bearer token."


def refusal(answer: httpx2.Response) -> dict:
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"detail", "error_code"}
    return body


@pytest.mark.parametrize(
    ("key", "detail"),
    [
        (None, MISSING),
        ("", MISSING),
        ("short", "API key format is invalid"),
        ("k" * 10, "Invalid API key"),
        ("k" * 9, "API key format is invalid"),
        ("k" * 10_000, "Invalid API key"),
        ("quote'in_the_key", "API key contains invalid characters"),
        ("zwölf_zeichen_äöü", "API key contains invalid characters"),
        ("expired_key_of_last_year", "API key has expired"),
        ("zerodb_sk_unknown_key_000", "Invalid API key"),
    ],
)
def test_a_bad_key_is_refused_with_the_reason_and_never_repeated(zerodb_server, key, detail):
    headers = {} if key is None else {"X-API-Key": key.encode()}
    body = refusal(httpx2.get(f"{zerodb_server}/v1/public/projects", headers=headers))
    assert body == {"detail": detail, "error_code": "INVALID_API_KEY"}


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "X-API-KEY"])
def test_the_key_header_may_be_in_any_case(alice, zerodb_server, name):
    assert httpx2.get(f"{zerodb_server}/v1/public/projects", headers={name: alice.key}).status_code == 200


def test_a_key_as_bearer_is_accepted(alice, zerodb_server):
    headers = {"Authorization": f"Bearer {alice.key}"}
    assert httpx2.get(f"{zerodb_server}/v1/public/projects", headers=headers).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "no/such/path"), ("POST", "projects"), ("PATCH", "health/x")])
def test_authentication_comes_before_routing_and_validation(stranger, method, path):
    body = refusal(stranger.request(method, path, content=b"{not json"))
    assert body["error_code"] == "INVALID_API_KEY"


@pytest.mark.parametrize("path", ["", "health", "docs", "redoc", "openapi.json", "embeddings/models"])
def test_what_anybody_may_ask(stranger, path):
    assert stranger.get(path).status_code == 200


def test_the_description_names_every_path_and_who_may_ask(stranger):
    paths = stranger.get("openapi.json").json()["paths"]
    for path, methods in {
        "/projects": {"get", "post"},
        "/projects/{project_id}": {"get", "patch", "delete"},
        "/projects/{project_id}/embeddings/search": {"post"},
        "/{project_id}/database/vectors/{vector_id}": {"get", "delete"},
        "/vectors/upsert": {"post"},
        "/{project_id}/agent-memory": {"get", "post", "put", "patch", "delete"},
    }.items():
        assert set(paths[path]) == methods
    assert paths["/health"]["get"]["security"] == [] and paths["/projects"]["get"]["security"]
    assert not [path for path in paths if "<" in path or "^" in path]


def test_health_and_root_say_what_this_is(stranger):
    assert stranger.get("health").json().keys() >= {"status", "service", "version"}
    assert stranger.get("").json().keys() >= {"name", "version"}


def login(client, key) -> dict:
    answer = client.post("auth/login", json={"api_key": key})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_key_becomes_a_token_that_opens_the_same_doors(alice, stranger):
    session = login(stranger, alice.key)
    assert session["token_type"] == "bearer" and session["expires_in"] == 3600
    project = alice.create_project()
    with_token = {"Authorization": f"Bearer {session['access_token']}"}
    assert stranger.get(f"projects/{project['id']}", headers=with_token).json()["id"] == project["id"]
    me = stranger.get("auth/me", headers=with_token).json()
    assert me["user_id"] == session["user_id"] and me["token_type"] == "access"
    assert me["issued_at"] < me["expires_at"] and me["expires_at"].endswith("Z")


def test_a_refresh_token_gives_a_new_access_token(alice, stranger):
    session = login(stranger, alice.key)
    answer = stranger.post("auth/refresh", json={"refresh_token": session["refresh_token"]})
    assert answer.status_code == 200
    assert answer.json().keys() >= {"access_token", "token_type", "expires_in"}
    with_token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert stranger.get("auth/me", headers=with_token).status_code == 200


def test_tokens_are_good_for_their_own_purpose_only(alice, stranger):
    session = login(stranger, alice.key)
    body = refusal(stranger.post("auth/refresh", json={"refresh_token": session["access_token"]}))
    assert body["error_code"] == "INVALID_TOKEN" and "token type" in body["detail"]
    headers = {"Authorization": f"Bearer {session['refresh_token']}"}
    assert refusal(stranger.get("projects", headers=headers))["error_code"] == "INVALID_TOKEN"


def test_an_expired_token_says_so(alice, stranger, monkeypatch):
    monkeypatch.setattr(tokens, "ACCESS", timedelta(seconds=-5))
    session = login(stranger, alice.key)
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    assert refusal(stranger.get("projects", headers=headers))["error_code"] == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "authorization", ["Bearer a.b.c", "Bearer", "Basic dXNlcjpwYXNz", "Bearer ..", "Token abcdefghijkl"]
)
def test_a_bad_token_or_scheme_is_refused(stranger, authorization):
    body = refusal(stranger.get("projects", headers={"Authorization": authorization}))
    assert body["error_code"] == "INVALID_TOKEN"


def test_a_token_signed_by_somebody_else_is_refused(alice, stranger):
    claims = jwt.decode(login(stranger, alice.key)["access_token"], options={"verify_signature": False})
    for forged in (jwt.encode(claims, "x" * 32, "HS256"), jwt.encode(claims, None, "none")):
        body = refusal(stranger.get("projects", headers={"Authorization": f"Bearer {forged}"}))
        assert body["error_code"] == "INVALID_TOKEN"


def test_a_valid_key_wins_over_a_bad_token_and_a_valid_token_over_a_bad_key(alice, bob, stranger):
    alice.create_project(name="of Alice")
    headers = {"X-API-Key": alice.key, "Authorization": "Bearer a.b.c"}
    assert stranger.get("projects", headers=headers).json()["total"] == 1
    token = login(stranger, alice.key)["access_token"]
    headers = {"X-API-Key": "zerodb_sk_unknown_key", "Authorization": f"Bearer {token}"}
    assert stranger.get("projects", headers=headers).json()["total"] == 1
    headers = {"X-API-Key": bob.key, "Authorization": f"Bearer {token}"}
    assert stranger.get("projects", headers=headers).json()["total"] == 0


@pytest.mark.parametrize("body", [{}, {"api_key": ""}, {"api_key": None}, {"api_key": 5}])
def test_login_without_a_key_is_a_validation_error(stranger, body):
    answer = stranger.post("auth/login", json=body)
    assert answer.status_code == 422
    assert answer.json()["validation_errors"][0]["loc"] == ["body", "api_key"]


def test_login_with_a_blank_key_is_401_and_says_so(stranger):
    body = refusal(stranger.post("auth/login", json={"api_key": "   "}))
    assert body == {"detail": "API key cannot be empty or whitespace", "error_code": "INVALID_API_KEY"}


def test_login_with_an_unknown_key_is_401(stranger):
    assert (
        refusal(stranger.post("auth/login", json={"api_key": "zerodb_sk_unknown_key"}))["error_code"]
        == "INVALID_API_KEY"
    )
    assert stranger.post("auth/refresh", json={}).status_code == 422


def test_a_revoked_key_and_its_tokens_are_dead_at_once(alice, stranger, django_db_blocker):
    from apps.integrations.zerodb.server.store import keys

    token = login(stranger, alice.key)["access_token"]
    with django_db_blocker.unblock():
        known = keys.recognise(alice.key)
        assert keys.revoke_key(alice.id, known.id)
    assert refusal(alice.http.get("projects"))["detail"] == "Invalid API key"
    refusal(stranger.get("projects", headers={"Authorization": f"Bearer {token}"}))


def test_an_unexpected_fault_says_nothing_of_the_inside(alice, monkeypatch):
    from apps.integrations.zerodb.server.store import projects

    def broken(*args, **options):
        raise RuntimeError("SELECT secret FROM table")

    monkeypatch.setattr(projects, "list_projects", broken)
    answer = alice.http.get("projects")
    assert answer.status_code == 500
    assert answer.json()["error_code"] == "INTERNAL_SERVER_ERROR"
    assert "SELECT" not in answer.text and "RuntimeError" not in answer.text
