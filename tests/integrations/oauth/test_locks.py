"""Who changes a connection and its grant locks the connection first, and nobody waits for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import DataError, connection, connections
from django.utils import timezone

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth import giving_back
from apps.integrations.oauth.access import client_of, kind_of
from apps.integrations.oauth.kinds import PREFIX
from apps.integrations.services import trying
from apps.integrations.services.connections import lock_integration
from apps.vault.models import AuditEntry, Token
from apps.vault.tokens import Grant, declare_service
from tests.api_client import by_key
from tests.factories import Cast
from tests.integrations.oauth.zoho import OWNER, TYPED, Zoho, make, reread
from tests.threads import somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-09", "V-04"), pytest.mark.timeout(120)]

T = TypeVar("T")


def connected(cast: Cast) -> Integration:
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
    return row


def let_expire(cast: Cast) -> None:
    with tenant(cast.account):
        past = timezone.now() - timedelta(hours=2)
        Token.objects.update(granted_at=past, expires_at=past + timedelta(hours=1))


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Future[T]]:
    """``work`` in a thread with a connection of its own; it has come to an end afterwards."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 60
    while not somebody_waits_for_a_lock():
        assert time.monotonic() < deadline, "Nobody waits for a lock."
        time.sleep(0.05)


def test_a_test_and_a_removal_of_the_grant_at_once_both_come_to_their_end(zoho: Zoho, cast: Cast) -> None:
    """The test holds the connection and needs the grant; the removal would hold the grant and need the connection."""
    row, zoho.valid = connected(cast), {"access-2"}
    let_expire(cast)
    api = by_key(cast.account, Role.ADMIN)
    with ExitStack() as after:
        with tenant(cast.account):
            held = lock_integration(row.pk)
            removed = after.enter_context(beside(lambda: api.delete(f"tokens/{kind_of(row)}")))
            wait_until_somebody_waits_for_a_lock()
            outcome = trying.test_connection(held, actor=OWNER)
        assert outcome.ok, outcome.message
        assert removed.result(timeout=60).status == 204
    assert zoho.given_back == ["1000.typed-refresh-token"]
    assert reread(cast, row).status == "not_configured"


@pytest.mark.parametrize("path", ["integrations/{row.pk}/connect", "integrations/{row.pk}", "tokens/{kind}"])
def test_a_fault_of_the_database_while_giving_back_removes_nothing(zoho: Zoho, cast: Cast, path: str) -> None:
    """Else the answer would say that the grant is gone, and the rollback would bring it back."""
    row = connected(cast)

    def broken(kind: str, grant: Grant) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    declare_service(PREFIX, broken)
    try:
        with pytest.raises(DataError):
            by_key(cast.account, Role.ADMIN).delete(path.format(row=row, kind=kind_of(row)))
    finally:
        declare_service(PREFIX, giving_back.give_back, hold=giving_back.hold)
    with tenant(cast.account):
        assert Token.objects.get().kind == kind_of(row)
        assert not AuditEntry.objects.filter(action__in=["token.revoked", "integration.removed"]).exists()
    assert reread(cast, row).credentials == TYPED
