"""Signs of health, for machines (interface.md, "Signs of health")."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from apps.accounts.pages import people
from apps.vault.keys import sealed_reason

logger = logging.getLogger(__name__)

WORKER_SEEN = "health:worker-seen"
WORKER_SECONDS = 30
"""A worker that showed no sign for so long is taken for dead; the sweep gives one every few seconds."""


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
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


_READY: dict[str, Callable[[], str]] = {"database": _database, "cache": _cache, "vault": _vault}
_ALL: dict[str, Callable[[], str]] = {**_READY, "broker": _broker, "workers": _workers}


def _answer(checks: dict[str, Callable[[], str]]) -> JsonResponse:
    results: dict[str, str] = {}
    for name, check in checks.items():
        try:
            results[name] = check()
        except Exception as error:
            logger.warning("Health check %s failed: %s", name, error)
            results[name] = f"failed: {type(error).__name__}"
    well = all(result == "ok" for result in results.values())
    answer = JsonResponse(
        {"status": "ok" if well else "failing", "checks": results},
        status=200 if well else 503,
        headers={"Cache-Control": "no-store"},
    )
    answer._has_been_logged = True  # type: ignore[attr-defined] # a 503 here is an answer, not an error of ours
    return answer


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
