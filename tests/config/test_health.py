"""Signs of health, for machines."""

from __future__ import annotations

import math
import socket
import time
from typing import Any

import pytest
from celery import Celery
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.jobs import running
from apps.accounts.jobs.registry import JobKind
from apps.accounts.models import Job
from apps.accounts.tenancy.scope import tenant
from apps.vault.keys import forget_keys
from apps.vault.keys.master import forget_master_key
from config import celery, health
from config.health import worker_seen
from tests.factories import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(settings: Any) -> Any:
    """The product without its master key."""
    forget_keys()
    forget_master_key()
    settings.VAULT_MASTER_KEY_URI = ""
    yield
    forget_keys()
    forget_master_key()


@pytest.mark.covers("O-03")
def test_all_is_well_when_a_worker_has_shown_itself(client: Client) -> None:
    assert client.get("/health").json()["checks"]["workers"] != "ok"
    worker_seen()
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


@pytest.mark.django_db(transaction=True)
@pytest.mark.covers("O-03")
def test_a_worker_that_is_at_one_long_job_shows_itself_meanwhile(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_LEASE_SECONDS = 0.3
    monkeypatch.setattr(celery, "_shown", -math.inf)
    account = make_account()
    with tenant(account):
        job = Job.objects.create(kind="parade.march", next_attempt_at=timezone.now())

    def march(attempt: running.RunningJob) -> None:
        deadline = time.monotonic() + 60
        while client.get("/health").json()["checks"]["workers"] != "ok":
            assert time.monotonic() < deadline, "no sign of life"
            time.sleep(0.05)

    monkeypatch.setattr(running, "kind_of", lambda name: JobKind(name, march))
    assert client.get("/health").json()["checks"]["workers"] != "ok"
    assert running.run(account.id, job.id) == "done"


def test_a_missing_worker_is_named_but_pages_are_still_served(client: Client) -> None:
    cache.clear()
    answer = client.get("/health")
    assert answer.status_code == 503
    faults = {name for name, result in answer.json()["checks"].items() if result != "ok"}
    assert faults == {"workers"}
    assert client.get("/health/ready").status_code == 200


def test_a_broker_that_is_away_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr("config.celery.app", nowhere)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"].startswith("failed")


def test_a_database_that_is_away_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "failed: OperationalError"
    assert client.get("/health/live").status_code == 200


@pytest.mark.covers("O-03")
def test_servers_that_hang_do_not_hold_up_the_answer(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes connections and never says a word
        port = mute.getsockname()[1]
        monkeypatch.setitem(connection.settings_dict, "PORT", str(port))
        silent = Celery(broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
        monkeypatch.setattr("config.celery.app", silent)
        monkeypatch.setattr(health, "_LIBPQ_LEAST_SECONDS", 60)  # so long it would take without a limit of our own
        began = time.monotonic()
        answer = client.get("/health")
        took = time.monotonic() - began
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert checks["database"].startswith("failed")
    assert checks["broker"].startswith("failed")
    assert checks["cache"] == "ok"
    assert took < 20  # 2 s on an idle machine


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_probes_ask_by_address_and_without_tls(client: Client, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["strongroom.example.com"]
    worker_seen()
    answer = client.get(path, headers={"Host": "10.1.2.3:8000"})
    assert answer.status_code == 200
    assert not answer.cookies
    assert client.get("/accounts/login/", headers={"Host": "10.1.2.3:8000"}).status_code == 400


def test_the_front_address_serves_people_and_machines(client: Client) -> None:
    worker_seen()
    assert client.get("/", headers={"Accept": "application/json"}).json()["status"] == "ok"
    assert client.get("/", headers={"Accept": "*/*"}).json()["status"] == "ok"
    assert client.get("/", headers={"Accept": "text/html"}).status_code == 302


@pytest.mark.covers("V-01")
def test_sealed_it_says_so(client: Client, sealed: None) -> None:
    worker_seen()
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"]["vault"].startswith("sealed")
    assert client.get("/health/live").status_code == 200
