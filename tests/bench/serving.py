"""G7: requests a second of the list of contacts, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.bench import load
from tests.bench.measure import Figure, at_least, turns
from tests.bench.processes import collect_static_files, cpu_seconds, environment, free_port, granian, running
from tests.bench.world import FULL, World

BLOCKS, SECONDS = (8, 4.0) if FULL else (5, 3.0)


@dataclass
class _Server:
    url: str
    authorization: str
    process: int = 0
    answers: float = 0
    cpu: float = 0

    def contacts(self) -> list[dict[str, object]]:
        """What it answers, once."""
        request = Request(self.url, headers={"Authorization": self.authorization})
        with urlopen(request, timeout=10) as answer:
            content = json.load(answer)
        rows: list[dict[str, object]] = content["results"] if isinstance(content, dict) else content
        return rows

    def ready(self) -> bool:
        try:
            return bool(self.contacts())
        except (URLError, ConnectionError, TimeoutError):
            return False

    def ask(self, kind: str, seconds: float = SECONDS) -> float:
        """Seconds per answer, so that it is compared as every other time."""
        before = cpu_seconds(self.process)
        rate = load.requests_per_second(self.url, self.authorization, seconds, kind)
        self.cpu += cpu_seconds(self.process) - before
        self.answers += rate * seconds
        return 1 / rate


def g7(world: World) -> Iterator[Figure]:
    """The product as in production and the twin, each on granian with two workers, asked in turns."""
    variables = environment(world.database_url)
    ours = _Server(f"http://127.0.0.1:{free_port()}/api/v1/contacts?limit=50", f"Bearer {world.key}")
    twin = _Server(f"http://127.0.0.1:{free_port()}/contacts", f"Token {world.plain_token()}")
    applications = {
        "config.wsgi:application": (ours, "config.settings.production"),
        "tests.bench.twin.wsgi:application": (twin, "tests.bench.twin.settings"),
    }
    collect_static_files({**variables, "DJANGO_SETTINGS_MODULE": "config.settings.production"})
    with ExitStack() as stack:
        for name, (server, module) in applications.items():
            port = int(server.url.split(":")[2].split("/")[0])
            chosen = {**variables, "DJANGO_SETTINGS_MODULE": module}
            server.process = stack.enter_context(running(granian(name, port), chosen, server.ready))
        _agree(ours, twin)
        kind = load.client()
        for server in (ours, twin):
            server.ask(kind, 2)
            server.answers = server.cpu = 0
        ratio = turns(lambda: ours.ask(kind), lambda: twin.ask(kind), blocks=BLOCKS).inverted()
    figure = at_least("G7", "requests/s of the contact list, encrypted and isolated ÷ stock, plaintext", ratio, 2.0)
    figure.parts = {
        "ours_per_s": round(1 / ratio.one),
        "stock_per_s": round(1 / ratio.other),
        "ours_server_cpu_ms": round(ours.cpu / ours.answers * 1000, 3),
        "stock_server_cpu_ms": round(twin.cpu / twin.answers * 1000, 3),
    }
    figure.note = f"{load.CONNECTIONS} connections, asked by {kind}"
    yield figure


def _agree(ours: _Server, twin: _Server) -> None:
    """Both must answer the same 50 people, or the comparison means nothing."""
    mine, theirs = ours.contacts(), twin.contacts()
    columns = ("id", "name", "email", "phone", "contact_type", "custom_attributes")
    assert len(mine) == len(theirs) == 50
    assert [[row[name] for name in columns] for row in mine] == [[row[name] for name in columns] for row in theirs]
