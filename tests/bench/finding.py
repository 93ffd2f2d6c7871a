"""S2: how long a search by words and meaning takes over HTTP while others search, too."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from honcho.environ import parse_procfile

from apps.accounts.roles import Role
from tests.bench.judging import read_yardstick
from tests.bench.measure import Figure
from tests.bench.processes import ROOT, cpu_seconds, environment, free_port, running
from tests.bench.ranking import say_all
from tests.bench.world import FULL, World
from tests.factories import make_account, make_api_key

RATE, SECONDS, MUST = 10, 120 if FULL else 30, 150


def s2(world: World) -> Iterator[Figure]:
    """The processes of the Procfile, as ``make run`` starts them; a page of 10, decrypted, by words and meaning."""
    yardstick = read_yardstick()
    account = make_account("Searched", world.owner)
    say_all(account, yardstick.texts)
    key, port = make_api_key(account, Role.OWNER), free_port()
    url = f"http://127.0.0.1:{port}"
    variables = environment(
        world.database_url,
        DJANGO_SETTINGS_MODULE="config.settings.local",
        SECRET_KEY=settings.SECRET_KEY,
        PORT=str(port),
        DATA=os.environ["DATA"],
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        PYTHONWARNINGS="ignore",
        BASE_URL=url,
    )
    bodies = [json.dumps({"query": query.text, "mode": "both", "limit": 10}) for query in yardstick.queries]
    random.Random(1).shuffle(bodies)

    def ask(rate: float, seconds: float) -> list[float]:
        command = [sys.executable, "-m", "tests.bench.open_loop", f"{url}/api/v1/conversations/search"]
        command += [f"Bearer {key}", f"{rate:g}", f"{seconds:g}"]
        done = subprocess.run(command, input="\n".join(bodies), cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return sorted(json.loads(done.stdout))

    with ExitStack() as stack:
        processes = {}
        for name, line in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
            command = ["/bin/bash", "-c", f': {name}; eval "$RUN"']
            ready = partial(_answers, url) if name == "web" else _at_once
            processes[name] = stack.enter_context(running(command, {**variables, "RUN": line}, ready))
        ask(2, 5)
        before = cpu_seconds(processes["web"])
        times = ask(RATE, SECONDS)
        cpu = cpu_seconds(processes["web"]) - before
    p50, p95, p99 = (1000 * times[int(share * len(times))] for share in (0.5, 0.95, 0.99))
    yield Figure(
        "S2",
        f"search by words and meaning over HTTP, {len(yardstick.texts):,} messages, {RATE} requests/s: p95",
        p95,
        p99,
        f"≤ {MUST}",
        p95 <= MUST,
        unit="ms",
        note="bound: p99",
        parts={
            "p50_ms": round(p50, 1),
            "p99_ms": round(p99, 1),
            "web_cpu_ms_per_request": round(1000 * cpu / len(times), 1),
            "requests": len(times),
        },
    )


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False


def _at_once() -> bool:
    """Nothing here waits for the other processes."""
    return True
