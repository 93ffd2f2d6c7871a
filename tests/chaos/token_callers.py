"""Processes that need an access token, at once or while they are killed.

``python -m tests.chaos.token_callers together URL ACCOUNT KIND N``: N threads ask for one token at the same moment
(when a line comes in) and tell what they got. ``… rounds URL ACCOUNT ROUNDS SEED KIND…``: in every round two processes
refresh one grant, and one of them is killed; tells the rounds after which the grant did not work.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

IN_FLIGHT = 1
"""Seconds in which the stand-in surely answers: far more than its delay.

A whole one: the cache takes less for none, sets the mark and deletes it; killed in between, a process leaves it there.
"""
POINTS = ("tokens.before_ask", "tokens.before_store", "tokens.after_store")


def main() -> None:
    """Set Django up and do what the arguments say."""
    import django

    django.setup()
    mode, url, account, *rest = sys.argv[1:]
    if mode == "together":
        together(url, UUID(account), rest[0], int(rest[1]))
    else:
        rounds(url, UUID(account), int(rest[0]), int(rest[1]), rest[2:])


def refresher(url: str):
    """Asks the token server for a new grant."""
    from django.utils import timezone

    from apps.vault.tokens import Grant, GrantRefused

    def refresh(grant: Grant) -> Grant:
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        request = urllib.request.Request(url, urllib.parse.urlencode(form).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            if json.load(error).get("error") == "invalid_grant":
                raise GrantRefused("invalid_grant") from None
            raise
        ends = timezone.now() + timedelta(seconds=said["expires_in"])
        return Grant(said["access_token"], said["refresh_token"], expires_at=ends)

    return refresh


def together(url: str, account: UUID, kind: str, number: int) -> None:
    """All threads wait for a line on standard input."""
    from django.db import connections

    from apps.accounts.tenancy import apart
    from apps.vault.tokens import access_token

    apart.THREADS.most = 3  # the embedded server takes 120 connections, and every caller holds one
    assert apart.THREADS.executor()._max_workers == 3
    ready = threading.Barrier(number + 1)

    def call(_: int) -> str:
        ready.wait()
        try:
            return access_token(account, kind, refresher=refresher(url))
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        results = [pool.submit(call, index) for index in range(number)]
        print("ready", flush=True)
        sys.stdin.readline()
        ready.wait()
        print(json.dumps([result.result() for result in results]), flush=True)


def rounds(url: str, account: UUID, number: int, seed: int, kinds: list[str]) -> None:
    """Kill at a random crash point, or at a random time."""
    from django.db import connections

    from apps.vault.tokens import renewal, worked

    renewal.IN_FLIGHT = IN_FLIGHT
    chance, lost, killed = random.Random(seed), [], 0
    for turn in range(number):
        kind = kinds[turn % len(kinds)]
        _let_expire(account, kind)
        point = chance.choice([None, *POINTS])
        forget(point)
        connections.close_all()
        children = [_fork(url, account, kind, point), _fork(url, account, kind, None)]
        if point is None:
            time.sleep(chance.uniform(0, 0.06))
            os.kill(chance.choice(children), signal.SIGKILL)
        killed += sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL for child in children)
        try:
            token = _patiently(url, account, kind)
        except Exception as error:
            lost.append(f"round {turn} ({kind}, {point}): {type(error).__name__}: {error}")
            continue
        if chance.random() < 0.5:
            worked(account, kind, token)
    print(json.dumps({"lost": lost, "killed": killed}))


def _patiently(url: str, account: UUID, kind: str) -> str:
    """The token, although the server may be away some times."""
    from apps.vault.tokens import NotNow, access_token

    for _ in range(12):
        _forget_wait(account, kind)
        try:
            return access_token(account, kind, refresher=refresher(url))
        except NotNow as error:
            last = error
            time.sleep(IN_FLIGHT / 2)
    raise last


def _fork(url: str, account: UUID, kind: str, point: str | None) -> int:
    from apps.vault.tokens import TokenError, access_token

    child = os.fork()
    if child:
        return child
    try:
        if point:
            os.environ["STRONGROOM_CRASH_AT"] = point
        access_token(account, kind, refresher=refresher(url))
        os._exit(0)
    except TokenError:
        os._exit(1)
    finally:
        os._exit(2)


def _let_expire(account: UUID, kind: str) -> None:
    """The token's time is over."""
    from django.utils import timezone

    from apps.accounts.tenancy.scope import tenant
    from apps.vault.models import Token

    past = timezone.now() - timedelta(hours=2)
    with tenant(account):
        Token.objects.filter(kind=kind).update(granted_at=past, expires_at=past + timedelta(hours=1))
    _forget_wait(account, kind)


def _forget_wait(account: UUID, kind: str) -> None:
    """No waiting after a failure is left."""
    from apps.accounts.tenancy.scope import tenant
    from apps.vault.models import Token

    with tenant(account):
        Token.objects.filter(kind=kind).update(next_attempt_at=None)


def forget(point: str | None) -> None:
    """Let the crash point kill once more."""
    from tests.chaos.processes import forget_crash

    if point:
        forget_crash(point)


if __name__ == "__main__":
    main()
