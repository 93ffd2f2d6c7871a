"""The embedded ZeroDB server's routes: nobody without a key gets in, and a foreign project is a missing one.

Its owners are callers and projects, not accounts, so it has a matrix of its own. Every route under one base is asked
by every method; the other bases hold the same list. What each route does is tested in ``tests/contract/zerodb``.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from apps.accounts.tenancy.registry import owned_columns
from apps.accounts.tenancy.scope import platform
from apps.integrations.zerodb.server.store import keys
from tests.isolation.urlconf import METHODS, every_route

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-07", "P-11", "X-11")]

BASE = "/zerodb/v1/public/"
SHAPES = [route.shape for route in every_route() if route.shape.startswith(BASE)]
# Answered without a key: what the server is, whether it is well, its paths and models, and signing in.
OPEN = {
    f"{BASE}",
    f"{BASE}health",
    f"{BASE}openapi.json",
    f"{BASE}docs",
    f"{BASE}redoc",
    f"{BASE}embeddings/models",
    f"{BASE}auth/login",
    f"{BASE}auth/refresh",
}
each_closed_route = pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape not in OPEN])
each_route_of_a_project = pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES if "<scope>" in shape or "<project_id>" in shape]
)

# Bodies with which the requests come past validation.
_UNIT = [1.0] + [0.0] * 383
_BODIES: dict[str, Any] = {
    "settings": {"features": {"semantic_search": False}},
    "status": {"status": "SUSPENDED"},
    "generate": {"texts": ["x"]},
    "batch": {"texts": ["x"]},
    "embed-and-store": {"texts": ["planted"]},
    "search": {"query": "x", "query_vector": _UNIT, "vector": _UNIT},
    "upsert": {"vector_embedding": _UNIT, "vector": _UNIT, "document": "planted", "id": "v1"},
    "batch-upsert": {"vectors": [{"vector_embedding": _UNIT, "vector": _UNIT, "document": "planted", "id": "v1"}]},
    "delete": {"vector_ids": ["v1"], "ids": ["v1"]},
    "memory": {"content": "planted", "role": "user", "agent_id": "a", "session_id": "s"},
    "rlhf": {"interaction_type": "reply", "prompt": "planted", "response": "planted", "rating": 1},
    "tables": {"table_name": "planted", "schema": {"fields": {"a": "string"}}},
    "rows": {"row_data": {"a": "planted"}, "filter": {}, "update": {"a": "planted"}},
    "query": {"filter": {}},
    "<row_id>": {"row_data": {"a": "planted"}},
    "events": {"event_type": "planted", "data": {}},
    "remember": {"agent_id": "a", "content": "planted"},
    "recall": {"query": "x"},
    "agent-memory": {"content": "planted", "role": "user", "agent_id": "a", "session_id": "s"},
}


class Caller:
    """The holder of an account-wide key."""

    def __init__(self, name: str) -> None:
        self.id = keys.create_caller(name).id
        self.key = keys.create_key(self.id, "account-wide").plain

    def ask(self, method: str, path: str, body: Any) -> HttpResponse:
        return ask(method, path, body, {"X-API-Key": self.key})


def ask(method: str, path: str, body: Any, headers: dict[str, str]) -> HttpResponse:
    client = Client(raise_request_exception=False)
    data = "" if body is None else json.dumps(body)
    answer: HttpResponse = client.generic(method, path, data, content_type="application/json", headers=headers)
    return answer


@pytest.fixture
def alice() -> Caller:
    return Caller("Alice")


@pytest.fixture
def bob() -> Caller:
    return Caller("Bob")


@pytest.fixture
def project(alice: Caller) -> str:
    """A project of Alice's with something in it."""
    created = alice.ask("POST", f"{BASE}projects", {"name": "Alice's", "tier": "pro"})
    assert created.status_code == 201, created.content
    name = str(json.loads(created.content)["id"])
    stored = alice.ask("POST", f"{BASE}{name}/database/vectors/upsert", {**_BODIES["upsert"], "document": "secret"})
    assert stored.status_code in {200, 201}, stored.content
    return name


def _body(shape: str, method: str) -> Any:
    return None if method == "GET" else _BODIES.get(shape.rstrip("/").rpartition("/")[2], {"name": "stolen"})


def _fill(shape: str, project: str, *, prefix: str = "") -> str:
    names = {"scope": f"{prefix}{project}/", "project_id": project, "name": "BAAI/bge-small-en-v1.5"}
    return re.sub(r"<(\w+)>", lambda found: names.get(found.group(1), "v1"), shape)


def _bytes(answer: HttpResponse, *names: str) -> tuple[int, dict[str, str], str]:
    body = answer.content.decode()
    for name in names:
        body = body.replace(name, "?")
    # Ids and times of what the caller made in a space of its own, and how long it took.
    body = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>", body)
    body = re.sub(r"(?:vec|mem|row|evt)_[0-9a-f]{16}|(?:tbl|run)_[0-9a-f]{12}", "<id>", body)
    body = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", body)
    body = re.sub(r'("(?:processing_time|search|count)_ms"):[\d.]+', r"\1:0", body)
    headers = {
        key: value for key, value in answer.headers.items() if key.lower() not in {"x-request-id", "content-length"}
    }
    return answer.status_code, headers, body


def _rows_of(caller: Caller) -> dict[str, str]:
    """Everything the caller's projects hold, read past the ORM."""
    digests = {}
    with platform("compare a caller's rows in a test"), connection.cursor() as cursor:
        for table, (column, setting) in sorted(owned_columns().items()):
            if setting == "app.zerodb_caller_id":
                where = f'"{column}" = %s'
            elif setting == "app.zerodb_project_id":
                where = f'"{column}" IN (SELECT id FROM integrations_zeroproject WHERE caller_id = %s)'
            else:
                continue
            cursor.execute(
                f"SELECT string_agg(to_jsonb(t)::text, '\n' ORDER BY t::text) FROM \"{table}\" t WHERE {where}",
                [caller.id],
            )
            digests[table] = hashlib.sha256((cursor.fetchone()[0] or "").encode()).hexdigest()
    return digests


@each_closed_route
def test_nobody_gets_in_without_a_key(shape: str, project: str) -> None:
    for method in METHODS:
        for headers in ({}, {"X-API-Key": "zerodb_sk_00000000_notakeynotakeynotakey"}):
            answer = ask(method, _fill(shape, project), _body(shape, method), headers)
            assert answer.status_code == 401, f"{method} {shape}: {answer.status_code}"


@each_route_of_a_project
def test_a_foreign_project_is_a_missing_one(shape: str, project: str, alice: Caller, bob: Caller) -> None:
    before, absent = _rows_of(alice), str(uuid4())
    for method in METHODS:
        for prefix in ("", "projects/") if "<scope>" in shape else ("",):
            cache.clear()  # limits on how often one may ask are not what is tested here
            body = _body(shape, method)
            answers = [
                _bytes(bob.ask(method, _fill(shape, name, prefix=prefix), body), name) for name in (absent, project)
            ]
            assert answers[0] == answers[1], f"{method} {shape}: a foreign project can be told from a missing one"
            assert "secret" not in answers[1][2]
    assert _rows_of(alice) == before
