"""Whatever dies when: no grant of an outside service is lost, and none is refreshed twice at once.

Against a token server on loopback that rotates refresh tokens and ends a grant whose old token comes back too late.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Token
from apps.vault.tokens import Grant, store
from tests.chaos.processes import ROOT, forget_crash, surroundings
from tests.chaos.token_callers import POINTS
from tests.factories import make_account
from tests.stand_ins.token_server import TokenServer, token_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-04", "X-05")]

CALLERS = [sys.executable, "-m", "tests.chaos.token_callers"]


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture(autouse=True)
def _clean_start() -> Iterator[None]:
    yield
    for point in POINTS:
        forget_crash(point)


def keep_expired(account: Account, kind: str, refresh_token: str) -> None:
    past = timezone.now() - timedelta(hours=2)
    with tenant(account):
        grant = Grant("access-0", refresh_token, granted_at=past, expires_at=past + timedelta(hours=1))
        store(kind, grant, actor=Actor.system("tests"))


def ask_together(server: TokenServer, account: Account, kind: str, *, each: int) -> list[str]:
    """What ``each`` threads in two processes get who ask at the same moment."""
    command = [*CALLERS, "together", server.url, str(account.id), kind, str(each)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=ROOT, env=surroundings(), **pipes) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout.readline().strip() == "ready"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [token for process in processes for token in json.loads(process.stdout.readline())]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def survive(server: TokenServer, account: Account, *, rounds: int, seconds: int) -> int:
    """Rounds with kills; how many processes died. Fails for every grant that was lost."""
    kinds = {"patient": "until_used", "lenient": "leeway"}
    for kind, mercy in kinds.items():
        keep_expired(account, kind, server.grant(kind, mercy))
    command = [*CALLERS, "rounds", server.url, str(account.id), str(rounds), "20261121", *kinds]
    done = subprocess.run(command, cwd=ROOT, env=surroundings(), capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["lost"] == []
    with tenant(account):
        assert set(Token.objects.values_list("status", flat=True)) == {"active"}
        for row in Token.objects.all():
            assert server.is_active(row.pair["access_token"]), row.kind
    return int(report["killed"])


def test_callers_in_two_processes_make_one_refresh(server: TokenServer, account: Account) -> None:
    keep_expired(account, "crm", server.grant("crm"))
    tokens = ask_together(server, account, "crm", each=15)
    assert tokens == ["access-1"] * 30
    assert server.calls == 1


def test_no_grant_is_lost_while_refreshers_are_killed(server: TokenServer, account: Account) -> None:
    server.delay = 0.01
    assert survive(server, account, rounds=16, seconds=60) > 4


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_a_hundred_workers_in_two_processes_make_one_refresh(server: TokenServer, account: Account) -> None:
    keep_expired(account, "crm", server.grant("crm"))
    tokens = ask_together(server, account, "crm", each=50)
    assert tokens == ["access-1"] * 100
    assert server.calls == 1


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_no_grant_is_lost_in_a_thousand_rounds_of_kills(server: TokenServer, account: Account) -> None:
    server.delay, server.failing, server.leeway = 0.02, 0.05, 60.0
    assert survive(server, account, rounds=1000, seconds=1700) > 500
