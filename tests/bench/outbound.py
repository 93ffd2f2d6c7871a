"""E7: what the guard, the deadline, the breaker and the bounds add to a call."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import httpx2
from django.test import override_settings

from apps.integrations.outbound.http import Answer, HttpClient
from tests.bench.measure import Figure, at_most, compare
from tests.bench.processes import free_port, python, running
from tests.bench.world import World

BODY = {"email": "ann@example.com", "name": "Ann Example", "tags": ["one", "two"], "note": "x" * 400}
HEADERS = {"User-Agent": "Strongroom", "Accept": "application/json", "Authorization": "Bearer sk_test_1234567890"}


def e7(world: World) -> Iterator[Figure]:
    """The same POST to a server in another process, over a connection that each side keeps."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with (
        running(python("tests.bench.answering", str(port)), dict(os.environ), lambda: _listens(port)),
        override_settings(OUTBOUND_ALLOW=["127.0.0.1"]),
        HttpClient(url, headers=HEADERS, judge=_accept) as ours,
        httpx2.Client(base_url=url, headers=HEADERS, trust_env=False) as plain,
    ):
        ratio = compare(
            lambda: ours.call("POST", "v1/things", repeatable=False, json=BODY).content,
            lambda: plain.post("v1/things", json=BODY).content,
            times=50,
        )
    yield at_most("E7", "guarded call ÷ plain httpx, local server, connection kept", ratio, 1.15)


def _accept(_: Answer) -> None:
    return None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
