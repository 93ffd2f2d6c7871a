"""D6: what a hundred workers who find one expired token ask of the service that gave it."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import tenant
from apps.vault.tokens import Grant, store
from tests.bench.measure import Figure
from tests.bench.processes import ROOT, environment, python
from tests.bench.world import World
from tests.stand_ins.token_server import TokenServer, token_server

PROCESSES, THREADS = 2, 50


def d6(world: World) -> Iterator[Figure]:
    """Threads of two processes, let go at the same moment, against a server that counts."""
    with token_server() as server:
        past = timezone.now() - timedelta(hours=2)
        grant = Grant("access-0", server.grant("bench"), granted_at=past, expires_at=past + timedelta(hours=1))
        with tenant(world.account.id):
            store("bench", grant, actor=Actor.system("bench"))
        tokens, took = _ask(server, world)
    others = Counter(token for token in tokens if token != "access-1")
    yield Figure(
        "D6",
        "refresh calls that 100 workers in 2 processes make for one expired token",
        server.calls,
        server.calls,
        "= 1",
        server.calls == 1 and len(tokens) == PROCESSES * THREADS and not others,
        unit="calls",
        note="".join(f"\n  {times} workers got instead: {answer}" for answer, times in others.most_common()),
        parts={"workers_with_the_new_token": tokens.count("access-1"), "seconds": round(took, 2)},
    )


def _ask(server: TokenServer, world: World) -> tuple[list[str], float]:
    command = python("tests.chaos.token_callers", "together", server.url, str(world.account.id), "bench", str(THREADS))
    variables = environment(world.database_url, DJANGO_SETTINGS_MODULE="tests.bench.settings")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=ROOT, env=variables, **pipes) for _ in range(PROCESSES)]  # type: ignore[call-overload]
    try:
        for process in processes:
            assert process.stdout.readline().strip() == "ready"
        began = time.perf_counter()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for process in processes]
        return [token for answer in answers for token in answer], time.perf_counter() - began
    finally:
        for process in processes:
            process.kill()
            process.communicate()
