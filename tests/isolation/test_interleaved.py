"""Two thousand requests of twenty accounts over two connections, with faults and people who hang up."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db import connection, connections

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.vault import selectors
from tests.factories import make_account, make_api_key, make_contact

pytestmark = [pytest.mark.covers("A-07", "O-04"), pytest.mark.timeout(300)]

REQUESTS, ACCOUNTS, AT_ONCE, CONNECTIONS = 800, 20, 16, 2


@pytest.fixture
def two_connections(transactional_db: None) -> Iterator[None]:
    """All threads of the application share a pool of two."""
    settings = connection.settings_dict
    connection.close()
    before = {name: settings.get(name) for name in ("CONN_MAX_AGE", "CONN_HEALTH_CHECKS")}
    options = dict(settings["OPTIONS"])
    settings.update(CONN_MAX_AGE=0, CONN_HEALTH_CHECKS=False)
    settings["OPTIONS"] = {**options, "pool": {"min_size": CONNECTIONS, "max_size": CONNECTIONS, "timeout": 60}}
    yield
    connection.close()
    connection.close_pool()
    settings.update(before)
    settings["OPTIONS"] = options


async def ask(app: Any, path: str, key: str, *, hang_up_after: float | None) -> tuple[int, bytes]:
    """One request; (0, b"") when the client hung up before the answer."""
    answer: dict[str, Any] = {"status": 0, "body": b""}
    asked, never = False, asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if hang_up_after is None:
            await never.wait()
        await asyncio.sleep(hang_up_after or 0)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
        else:
            answer["body"] += message.get("body", b"")

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {key}".encode())],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    return answer["status"], answer["body"]


def test_nothing_foreign_is_answered_and_nothing_is_left_behind(
    two_connections: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast: list[tuple[Account, str]] = []
    for number in range(ACCOUNTS):
        account = make_account(f"Interleaved {number}")
        for _ in range(3):
            make_contact(account, name=f"of {account.id}")
        cast.append((account, make_api_key(account, Role.OWNER)))
    connection.close()
    source, read = random.Random(7), selectors._opened

    def sometimes_fails(rows: Any, **options: Any) -> Any:
        if source.random() < 0.1:
            raise RuntimeError("planted by a test")
        return read(rows, **options)

    monkeypatch.setattr(selectors, "_opened", sometimes_fails)
    app, line = ASGIHandler(), asyncio.Semaphore(AT_ONCE)

    async def one() -> str:
        account, key = source.choice(cast)
        hang_up = source.random() * 0.05 if source.random() < 0.1 else None
        async with line:
            status, body = await ask(app, "/api/v1/contacts?limit=50", key, hang_up_after=hang_up)
        if status != 200:
            return str(status)
        names = [contact["name"] for contact in json.loads(body)["results"]] if body else []
        assert names == [f"of {account.id}"] * 3 or hang_up is not None, names
        assert all(name == f"of {account.id}" for name in names)
        return "200"

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(one() for _ in range(REQUESTS)))

    with ThreadPoolExecutor(1) as apart:  # a browser's loop may run in this thread
        outcomes = Counter(apart.submit(lambda: asyncio.run(all_of_them())).result())
    assert set(outcomes) <= {"200", "500", "0"}, outcomes
    assert outcomes["200"] > REQUESTS / 2
    assert outcomes["500"] > 0
    assert outcomes["0"] > 0

    pool = connection.pool
    held = [pool.getconn(timeout=30) for _ in range(CONNECTIONS)]
    try:
        for each in held:
            sql = "SELECT coalesce(current_setting('app.account_id', true), ''), current_setting('role')"
            assert each.execute(sql).fetchone() == ("", "none")
            assert each.execute("SELECT count(*) FROM vault_contact").fetchone() == (0,)
            each.rollback()
    finally:
        for each in held:
            pool.putconn(each)
    connections.close_all()
