"""T1: tasks of one account a second, with the connection kept and with Celery's stock handling."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from redis import Redis

from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.bench.measure import Figure, at_least, turns
from tests.bench.processes import environment, python, running
from tests.bench.worker import touch
from tests.bench.world import FULL, World

BLOCKS = 8 if FULL else 5
TASKS = {"kept": 900, "stock": 400}
_SETTINGS = {"kept": "config.settings.production", "stock": "tests.bench.twin.stock_celery"}


def t1(world: World) -> Iterator[Figure]:
    """Two workers with two processes each; queued tasks are handed to one of them at once, and it drains them."""
    broker: Redis[Any] = Redis.from_url(settings.CELERY_BROKER_URL)
    with tenant(world.account.id):
        contacts = itertools.cycle(str(key) for key in Contact.objects.values_list("id", flat=True)[:5000])
    with ExitStack() as stack:
        for side, module in _SETTINGS.items():
            variables = environment(world.database_url, DJANGO_SETTINGS_MODULE=module)
            options = ["--queues", f"bench-{side}", "--concurrency", "2", "--hostname", f"{side}@bench"]
            command = python("celery", "--quiet", "--app", "tests.bench.worker", "worker", *options)
            command += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
            stack.enter_context(running(command, variables, lambda side=side: _listens(broker, side)))  # type: ignore[misc]
        account = str(world.account.id)

        def drain(side: str) -> float:
            for _ in range(TASKS[side]):
                touch.apply_async((account, next(contacts)), queue="bench-waiting")
            return _drained(broker, side) / TASKS[side]

        for side in TASKS:
            drain(side)
        ratio = turns(lambda: drain("kept"), lambda: drain("stock"), blocks=BLOCKS).inverted()
    what = "tenant tasks/s (scope, one update), connection kept ÷ Celery's stock handling"
    figure = at_least("T1", what, ratio, 2.5)
    figure.parts = {"kept_per_s": round(1 / ratio.one), "stock_per_s": round(1 / ratio.other)}
    yield figure


def _drained(broker: Any, side: str) -> float:
    """Hand what waits to a worker and time it until the last task is acknowledged."""
    began = time.perf_counter()
    broker.rename("bench-waiting", f"bench-{side}")
    while broker.llen(f"bench-{side}") or broker.hlen("unacked"):
        time.sleep(0.002)
        assert time.perf_counter() - began < 120, f"{side} does not drain its queue"
    return time.perf_counter() - began


def _listens(broker: Any, side: str) -> bool:
    """Whether the worker waits for tasks: it has bound its queue."""
    return bool(broker.exists(f"_kombu.binding.bench-{side}"))
