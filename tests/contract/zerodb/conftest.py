"""The embedded ZeroDB server over a real socket, and callers of it.

Every test gets callers of its own, so tests share one database and one server without seeing each other.
"""

from __future__ import annotations

import itertools
import math
import random
import ssl

import httpx2
import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from pytest_django.live_server_helper import LiveServer

from apps.integrations.zerodb.server.store import keys

_number = itertools.count(1)
# One for all clients: each would read the certificates of the world again, and nobody here speaks TLS.
TRUST = ssl.create_default_context()


@pytest.fixture(scope="session")
def zerodb_server(django_db_setup, django_db_blocker):
    """Address of a running server, without the version."""
    # It writes head and body apart; without this every answer waits 40 ms for an acknowledgement.
    WSGIRequestHandler.disable_nagle_algorithm = True
    with django_db_blocker.unblock():
        server = LiveServer("127.0.0.1")
        yield f"{server.url}/zerodb"
        server.stop()


class Caller:
    """A holder of an account-wide key, with a connection of its own."""

    def __init__(self, base: str, *, unlimited: bool = False) -> None:
        row = keys.create_caller(f"caller {next(_number)}", unlimited_projects=unlimited)
        self.id = row.id
        self.key = keys.create_key(row.id, "account-wide").plain
        self.base = base
        self.http = connect(base, self.key)

    def create_project(self, **fields):
        answer = self.http.post("projects", json={"name": "A project", "tier": "pro", **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()


def connect(base: str, key: str | None = None, **headers: str) -> httpx2.Client:
    """A plain HTTP client with an API key."""
    if key is not None:
        headers["X-API-Key"] = key
    return httpx2.Client(base_url=f"{base}/v1/public/", headers=headers, timeout=30, verify=TRUST)


@pytest.fixture
def make_caller(zerodb_server, django_db_blocker):
    callers: list[Caller] = []

    def make(**options) -> Caller:
        with django_db_blocker.unblock():
            callers.append(Caller(zerodb_server, **options))
        return callers[-1]

    yield make
    for caller in callers:
        caller.http.close()


@pytest.fixture
def alice(make_caller):
    return make_caller()


@pytest.fixture
def bob(make_caller):
    return make_caller()


@pytest.fixture
def stranger(zerodb_server):
    """Somebody without a key."""
    with connect(zerodb_server) as client:
        yield client


@pytest.fixture
def project(alice):
    """A created project of Alice's."""
    return alice.create_project()


@pytest.fixture
def store(alice, project, zerodb_server):
    """A connection to Alice's project with the project's own key; paths begin with the project."""
    base, headers = f"{zerodb_server}/v1/public/{project['id']}/", {"X-API-Key": project["api_key"]}
    with httpx2.Client(base_url=base, headers=headers, timeout=30, verify=TRUST) as client:
        yield client


def vector_of(seed: int, dimensions: int = 384) -> list[float]:
    """A unit vector, always the same for a seed."""
    numbers = random.Random(seed)
    values = [numbers.gauss(0, 1) for _ in range(dimensions)]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


@pytest.fixture
def make_vector():
    return vector_of
