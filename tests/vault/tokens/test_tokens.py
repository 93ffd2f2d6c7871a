"""Grants are refreshed early, once, and none is ever lost."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import DataError, connection, connections
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.models import AuditEntry, Token
from apps.vault.tokens import (
    Grant,
    GrantRefused,
    NotNow,
    NoToken,
    ReauthRequired,
    access_token,
    declare_service,
    fresh,
    renewal,
    retrieve,
    revoke,
    store,
    worked,
)
from tests.factories import make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-04")]

ACTOR = Actor.system("tests")
KIND = "google"


class Service:
    """A service that rotates refresh tokens, and takes an old one until the new one was used."""

    def __init__(self) -> None:
        self.calls = 0
        self.valid = {"refresh-0"}
        self.current = "refresh-0"
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.down = False

    def refresh(self, grant: Grant) -> Grant:
        with self._lock:
            self.calls += 1
            if self.down:
                raise ConnectionError("no answer in time")
            if grant.refresh_token not in self.valid:
                raise GrantRefused("Token has been expired or revoked.")
            if grant.refresh_token == self.current:
                self.valid = {self.current}
            number = next(self._numbers)
            self.current = f"refresh-{number}"
            self.valid.add(self.current)
            return Grant(f"access-{number}", self.current, expires_at=timezone.now() + timedelta(hours=1))


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def service() -> Service:
    return Service()


def keep(account: Account, *, lasts: timedelta | None = timedelta(hours=1), ago: timedelta = timedelta()) -> None:
    granted = timezone.now() - ago
    grant = Grant("access-0", "refresh-0", granted_at=granted, expires_at=granted + lasts if lasts else None)
    with tenant(account):
        store(KIND, grant, actor=ACTOR)


def row_of(account: Account) -> Token:
    with tenant(account):
        row = Token.objects.get(kind=KIND)
        _ = row.pair, row.pair_before
    return row


def test_a_grant_lies_encrypted_and_comes_back_whole(account: Account) -> None:
    keep(account)
    with platform("look at the stored bytes"), connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM vault_token t")
        stored = cursor.fetchone()[0]
    assert "access-0" not in stored
    assert "refresh-0" not in stored
    with tenant(account):
        grant = retrieve(KIND)
        assert (grant.access_token, grant.refresh_token) == ("access-0", "refresh-0")
        assert "access-0" not in repr(grant)
        assert [entry.action for entry in AuditEntry.objects.filter(entity_type="token")] == ["token.stored"]


@pytest.mark.parametrize(
    ("lasts", "age", "due"),
    [
        (timedelta(hours=1), timedelta(minutes=44), False),
        (timedelta(hours=1), timedelta(minutes=46), True),
        (timedelta(minutes=10), timedelta(minutes=4), False),
        (timedelta(minutes=10), timedelta(minutes=6), True),
        (None, timedelta(days=400), False),
    ],
)
def test_it_is_refreshed_fifteen_minutes_or_half_its_life_before_its_end(
    account: Account, service: Service, lasts: timedelta | None, age: timedelta, due: bool
) -> None:
    keep(account, lasts=lasts, ago=age)
    assert access_token(account.id, KIND, refresher=service.refresh) == ("access-1" if due else "access-0")
    assert service.calls == int(due)


@pytest.mark.covers("X-05")
def test_a_hundred_callers_of_an_expired_token_make_one_refresh(account: Account, service: Service) -> None:
    keep(account, ago=timedelta(hours=2))
    together = threading.Barrier(20)

    def call(_: int) -> str:
        together.wait()
        try:
            return access_token(account.id, KIND, refresher=service.refresh)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(call, range(100)))
    assert set(tokens) == {"access-1"}
    assert service.calls == 1


def test_what_was_refreshed_stays_although_the_caller_fails(account: Account, service: Service) -> None:
    keep(account, ago=timedelta(hours=2))

    def fail() -> None:
        with tenant(account):
            access_token(account.id, KIND, refresher=service.refresh)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert row_of(account).pair["refresh_token"] == "refresh-1"


def test_the_old_pair_is_kept_until_the_new_one_has_worked(account: Account, service: Service) -> None:
    keep(account, ago=timedelta(hours=2))
    token = access_token(account.id, KIND, refresher=service.refresh)
    assert row_of(account).pair_before["refresh_token"] == "refresh-0"
    worked(account.id, KIND, "another token")
    assert row_of(account).pair_before is not None
    worked(account.id, KIND, token)
    assert row_of(account).pair_before is None


def test_the_pair_before_saves_a_grant_whose_new_pair_the_service_never_took(
    account: Account, service: Service
) -> None:
    keep(account, ago=timedelta(hours=2))
    access_token(account.id, KIND, refresher=service.refresh)
    service.valid, service.current = {"refresh-0"}, "refresh-0"  # the service lost what it gave
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        assert access_token(account.id, KIND, refresher=service.refresh) == "access-2"
    assert row_of(account).status == Token.Status.ACTIVE


def test_the_pair_before_stays_good_when_the_service_sends_no_new_refresh_token(
    account: Account, service: Service
) -> None:
    """RFC 6749 section 6: then the one that was used goes on; not the newer one, which the service refused."""
    keep(account, ago=timedelta(hours=2))
    access_token(account.id, KIND, refresher=service.refresh)

    def only_the_first(grant: Grant) -> Grant:
        if grant.refresh_token != "refresh-0":
            raise GrantRefused("unknown")
        return Grant("access-again", "", expires_at=timezone.now() + timedelta(hours=1))

    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        assert access_token(account.id, KIND, refresher=only_the_first) == "access-again"
    with tenant(account):
        assert retrieve(KIND).refresh_token == "refresh-0"


def test_a_failure_that_passes_is_tried_again_later_and_the_old_token_serves_meanwhile(
    account: Account, service: Service
) -> None:
    keep(account, ago=timedelta(minutes=50))
    service.down = True
    for _ in range(3):
        assert access_token(account.id, KIND, refresher=service.refresh) == "access-0"
    assert service.calls == 1
    assert row_of(account).status == Token.Status.BACKOFF
    with time_machine.travel(timezone.now() + timedelta(minutes=15), tick=True):
        with pytest.raises(NotNow) as waiting:
            access_token(account.id, KIND, refresher=service.refresh)
        assert waiting.value.retry_after > 0
        assert "no answer in time" in str(waiting.value)
    service.down = False
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        assert access_token(account.id, KIND, refresher=service.refresh) == "access-1"
    assert row_of(account).failures == 0


def test_an_outage_of_days_never_asks_for_consent_anew(account: Account, service: Service) -> None:
    keep(account, ago=timedelta(hours=2))
    service.down = True
    start = timezone.now()
    for hour in range(0, 72, 2):
        with time_machine.travel(start + timedelta(hours=hour), tick=True), pytest.raises(NotNow):
            access_token(account.id, KIND, refresher=service.refresh)
    service.down = False
    with time_machine.travel(start + timedelta(hours=80), tick=True):
        assert access_token(account.id, KIND, refresher=service.refresh) == "access-1"


def test_repeated_refusals_end_in_one_thing_to_do(account: Account, service: Service) -> None:
    keep(account, ago=timedelta(hours=2))
    service.valid = set()
    start = timezone.now()
    for hour, expected in ((0, NotNow), (2, NotNow), (4, ReauthRequired), (6, ReauthRequired)):
        with time_machine.travel(start + timedelta(hours=hour), tick=True), pytest.raises(expected) as refused:
            access_token(account.id, KIND, refresher=service.refresh)
    assert service.calls == 3
    assert "revoked" in str(refused.value)
    assert "Connect it again" in refused.value.todo
    keep(account)  # consent was given anew
    assert row_of(account).status == Token.Status.ACTIVE
    assert access_token(account.id, KIND, refresher=service.refresh) == "access-0"


def test_a_service_that_sends_no_new_refresh_token_leaves_the_old_one(account: Account) -> None:
    keep(account, ago=timedelta(hours=2))

    def refresh(_: Grant) -> Grant:
        return Grant("access-new", expires_at=timezone.now() + timedelta(hours=1))

    assert access_token(account.id, KIND, refresher=refresh) == "access-new"
    assert row_of(account).pair == {"access_token": "access-new", "refresh_token": "refresh-0"}


def test_a_revoked_grant_is_given_back_and_gone(account: Account, service: Service) -> None:
    with tenant(account):
        store("stand_in:1", Grant("access-0", "refresh-0"), actor=ACTOR)
    given_back: list[Any] = []
    declare_service("stand_in", lambda kind, grant: given_back.append((kind, grant.refresh_token)))
    with tenant(account):
        revoke("stand_in:1", actor=ACTOR)
    assert given_back == [("stand_in:1", "refresh-0")]
    with pytest.raises(NoToken):
        access_token(account.id, "stand_in:1", refresher=service.refresh)


def test_a_grant_is_forgotten_although_its_service_can_not_be_told(account: Account) -> None:
    def fail(kind: str, grant: Grant) -> None:
        raise ConnectionError("no answer in time")

    declare_service("stand_in", fail)
    with tenant(account):
        store("stand_in:1", Grant("access-0", "refresh-0"), actor=ACTOR)
        with pytest.raises(ConnectionError):
            revoke("stand_in:1", actor=ACTOR)
    with tenant(account):
        assert not Token.objects.exists()


def test_a_token_that_was_refused_before_its_time_is_refreshed_once(account: Account, service: Service) -> None:
    keep(account)
    assert access_token(account.id, KIND, refresher=service.refresh, refused="access-0") == "access-1"
    assert access_token(account.id, KIND, refresher=service.refresh, refused="access-0") == "access-1"
    assert service.calls == 1


def test_what_the_service_said_with_a_grant_stays_with_it(account: Account) -> None:
    with tenant(account):
        store(KIND, Grant("access-0", "refresh-0", facts={"instance_url": "https://a.example"}), actor=ACTOR)

    def refresh(_: Grant) -> Grant:
        return Grant("access-1", expires_at=timezone.now() + timedelta(hours=1))

    assert fresh(account.id, KIND, refresher=refresh, refused="access-0").facts == {"instance_url": "https://a.example"}


@pytest.mark.covers("X-05")
@pytest.mark.parametrize("late", ["a new grant", "a refusal"])
def test_a_connection_lost_while_the_service_answered_loses_no_grant(
    account: Account, service: Service, late: str
) -> None:
    """Nobody holds the row any more: somebody else may refresh in between, and then the late answer does not count."""
    keep(account, ago=timedelta(hours=2))
    calls: list[str] = []

    def refresh(grant: Grant) -> Grant:
        calls.append(grant.refresh_token)
        if len(calls) > 1:
            return service.refresh(grant)
        new = service.refresh(grant) if late == "a new grant" else None
        _end_own_connection()
        if new is None:
            cache.clear()  # and with it the mark that somebody asks
            access_token_elsewhere(account, service)
            raise GrantRefused("late")
        return new

    assert access_token(account.id, KIND, refresher=refresh) == "access-1"
    assert service.calls == 1
    row = row_of(account)
    assert (row.pair["refresh_token"], row.status, row.refusals) == ("refresh-1", "active", 0)


@pytest.mark.covers("X-05")
def test_nobody_asks_while_the_request_of_one_who_died_may_still_arrive(account: Account, service: Service) -> None:
    """A service that gets the old request after the new one would take the new one for stolen."""
    keep(account, ago=timedelta(minutes=50))
    mark = renewal.mark_of(row_of(account))
    cache.add(mark, 1, renewal.IN_FLIGHT)  # all that one leaves who was killed while it asked
    assert access_token(account.id, KIND, refresher=service.refresh) == "access-0"
    with pytest.raises(NotNow) as waiting:
        access_token(account.id, KIND, refresher=service.refresh, refused="access-0")
    assert waiting.value.retry_after > 0
    assert service.calls == 0
    cache.touch(mark, 1)
    while cache.get(mark):
        time.sleep(0.1)
    assert access_token(account.id, KIND, refresher=service.refresh) == "access-1"


@pytest.mark.parametrize("ago", [timedelta(minutes=50), timedelta(hours=2)])
def test_nobody_waits_for_ever_for_whoever_holds_the_grant(
    account: Account, service: Service, monkeypatch: pytest.MonkeyPatch, ago: timedelta
) -> None:
    """What still serves is used meanwhile; without it the caller is told when to come back."""
    monkeypatch.setattr(renewal, "LOCK_WAIT", 0.3)
    keep(account, ago=ago)
    with tenant(account):
        Token.objects.select_for_update().get(kind=KIND)
        if ago < timedelta(hours=1):
            assert access_token(account.id, KIND, refresher=service.refresh) == "access-0"
        else:
            with pytest.raises(NotNow) as waiting:
                access_token(account.id, KIND, refresher=service.refresh)
            assert waiting.value.retry_after > 0
    assert service.calls == 0
    assert access_token(account.id, KIND, refresher=service.refresh) == "access-1"


def test_a_fault_of_the_database_while_refreshing_is_no_refusal_by_the_service(account: Account) -> None:
    keep(account, ago=timedelta(hours=2))

    def broken(_: Grant) -> Grant:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        raise AssertionError

    with pytest.raises(DataError):
        access_token(account.id, KIND, refresher=broken)
    row = row_of(account)
    assert (row.failures, row.status, row.next_attempt_at) == (0, "active", None)


def _end_own_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with ThreadPoolExecutor(1) as other:
        other.submit(_terminate, pid).result()


def _terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connections.close_all()


def access_token_elsewhere(account: Account, service: Service) -> None:
    """As another process would: on a thread that is not inside of a refresh."""

    def call() -> None:
        try:
            assert access_token(account.id, KIND, refresher=service.refresh) == "access-1"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        other.submit(call).result()


def test_another_accounts_grant_is_out_of_reach(account: Account, service: Service) -> None:
    keep(account)
    with pytest.raises(NoToken):
        access_token(make_account().id, KIND, refresher=service.refresh)
