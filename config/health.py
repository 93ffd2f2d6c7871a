"""Signs of health, for machines (interface.md, "Signs of health")."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from typing import Any

import psycopg
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from apps.accounts.pages import people
from apps.vault.keys import sealed_reason

logger = logging.getLogger(__name__)

WORKER_SEEN = "health:worker-seen"
WORKER_SECONDS = 30
"""A worker that showed no sign for so long is taken for dead; the sweep gives one every few seconds."""


ANSWER_WITHIN = 1.8
"""Seconds until a check that has not ended counts as failed: a probe that waits longer would itself be given up."""
_LIBPQ_LEAST_SECONDS = 2

_checkers = ThreadPoolExecutor(max_workers=10, thread_name_prefix="health")
"""The checks run beside one another, so that several servers that hang take no longer than one."""


def _database(parameters: dict[str, Any]) -> str:
    # A connection of its own: waiting for one of the pool's would ask how busy this process is, not whether
    # the server is there.
    bounds = {"connect_timeout": _LIBPQ_LEAST_SECONDS, "tcp_user_timeout": _LIBPQ_LEAST_SECONDS * 1000}
    with psycopg.connect(**{**parameters, **bounds}) as own:
        own.execute("SELECT 1")
    return "ok"


def _cache() -> str:
    cache.set("health:cache", "1", 10)
    return "ok" if cache.get("health:cache") == "1" else "does not keep what is written"


def _broker() -> str:
    from config.celery import app

    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=0, timeout=2)
    return "ok"


def _workers() -> str:
    return "ok" if cache.get(WORKER_SEEN) else "no worker has shown itself lately"


def _vault() -> str:
    reason = sealed_reason()
    return "ok" if reason is None else f"sealed: {reason}"


_READY: dict[str, Callable[[], str]] = {"cache": _cache, "vault": _vault}
_ALL: dict[str, Callable[[], str]] = {**_READY, "broker": _broker, "workers": _workers}


def _answer(checks: dict[str, Callable[[], str]]) -> JsonResponse:
    deadline = time.monotonic() + ANSWER_WITHIN
    running = {"database": _checkers.submit(_database, connection.get_connection_params())}
    running |= {name: _checkers.submit(check) for name, check in checks.items()}
    results = {name: _result(name, check, deadline) for name, check in running.items()}
    well = all(result == "ok" for result in results.values())
    answer = JsonResponse(
        {"status": "ok" if well else "failing", "checks": results},
        status=200 if well else 503,
        headers={"Cache-Control": "no-store"},
    )
    answer._has_been_logged = True  # type: ignore[attr-defined] # a 503 here is an answer, not an error of ours
    return answer


def _result(name: str, check: Future[str], deadline: float) -> str:
    try:
        return check.result(max(0.0, deadline - time.monotonic()))
    except NotInTime:
        check.cancel()
        error: Exception = TimeoutError(f"no answer within {ANSWER_WITHIN} s")
    except Exception as fault:
        error = fault
    logger.warning("Health check %s failed: %s", name, error)
    return f"failed: {error}" if isinstance(error, TimeoutError) else f"failed: {type(error).__name__}"


def health(request: HttpRequest) -> JsonResponse:
    """Everything the product needs."""
    return _answer(_ALL)


def live(request: HttpRequest) -> JsonResponse:
    """The process runs and answers; nothing else is asked."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


def ready(request: HttpRequest) -> JsonResponse:
    """This process can serve requests now."""
    return _answer(_READY)


_PROBES = {"/health": health, "/health/live": live, "/health/ready": ready}


class ProbeMiddleware:
    """Answers probes before anything else looks at them.

    A load balancer or a kubelet asks by address, not by name, and without TLS: ALLOWED_HOSTS and the redirect to
    https:// are not meant for it. Nor does a probe need a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = _PROBES.get(request.path_info)
        return probe(request) if probe else self.get_response(request)


def front(request: HttpRequest) -> HttpResponse:
    """``/``: the dashboard (or sign-in) for people, health for machines, told apart by the Accept header."""
    if "text/html" in request.headers.get("Accept", ""):
        return people.home(request)
    return health(request)


def worker_seen() -> None:
    """Note that a worker is at work; called when one starts and after each task (the sweep is one)."""
    cache.set(WORKER_SEEN, True, WORKER_SECONDS)
