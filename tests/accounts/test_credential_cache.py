"""A key that was changed is not used as it was before, whatever was being read at that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections

from apps.accounts import credentials
from apps.accounts.actors import Actor
from apps.accounts.credentials import KnownKey, recognise
from apps.accounts.models import Account, APIKey
from apps.accounts.services.api_keys import delete_api_key, rotate_api_key, update_api_key
from apps.accounts.services.people import switch_off
from apps.accounts.services.update_account import update_account
from apps.accounts.tenancy.scope import tenant
from tests.api_client import ApiClient
from tests.factories import Cast, make_api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("A-07")]
SYSTEM = Actor.system("test")


class StopsBeforeItStores:
    """The cache, for a request that has read a key from the database and is about to keep it."""

    def __init__(self) -> None:
        self.has_read, self.may_store = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(cache, name)

    def set(self, name: str, value: Any, seconds: float) -> Any:
        return self._store(cache.set, name, value, seconds)

    def add(self, name: str, value: Any, seconds: float) -> Any:
        return self._store(cache.add, name, value, seconds)

    def _store(self, store: Callable[..., Any], name: str, value: Any, seconds: float) -> Any:
        if isinstance(value, KnownKey) and not self.has_read.is_set():
            self.has_read.set()
            assert self.may_store.wait(60)
        return store(name, value, seconds)


def change_while_it_is_read(monkeypatch: pytest.MonkeyPatch, plain: str, change: Callable[[], object]) -> None:
    """A request recognises ``plain``; between its reading and its keeping of the row, ``change`` is committed."""
    slow = StopsBeforeItStores()
    monkeypatch.setattr(credentials, "cache", slow)

    def request() -> None:
        try:
            assert recognise(plain) is not None, "it was good when it was read"
        finally:
            connections.close_all()

    thread = threading.Thread(target=request)
    thread.start()
    assert slow.has_read.wait(60)
    try:
        change()
    finally:
        slow.may_store.set()
        thread.join(60)
    monkeypatch.undo()


def one(account: Account) -> APIKey:
    return APIKey.objects.get()


def disabled(account: Account) -> None:
    update_api_key(one(account), actor=SYSTEM, enabled=False)


def rotated(account: Account) -> None:
    rotate_api_key(one(account), actor=SYSTEM)


def deleted(account: Account) -> None:
    delete_api_key(one(account), actor=SYSTEM)


@pytest.mark.parametrize("change", [disabled, rotated, deleted])
def test_a_key_that_ends_while_a_request_reads_it_has_ended(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, change: Callable[[Account], None]
) -> None:
    plain = make_api_key(cast.account)

    def commit() -> None:
        with tenant(cast.account):
            change(cast.account)

    change_while_it_is_read(monkeypatch, plain, commit)
    assert recognise(plain) is None


def test_a_key_read_before_a_change_commits_is_not_used_after_it(cast: Cast) -> None:
    plain = make_api_key(cast.account)
    with tenant(cast.account):
        update_api_key(one(cast.account), actor=SYSTEM, enabled=False)
        thread = threading.Thread(target=lambda: (recognise(plain), connections.close_all()))
        thread.start()  # another process, to which the change has not happened yet
        thread.join(60)
    assert recognise(plain) is None


def test_the_account_of_a_key_is_as_it_is_now(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = make_api_key(cast.account)

    def rename() -> None:
        with tenant(cast.account):
            update_account(Account.objects.get(), actor=SYSTEM, name="Renamed Ltd")

    change_while_it_is_read(monkeypatch, plain, rename)
    known = recognise(plain)
    assert known is not None and known.account.name == "Renamed Ltd"


@pytest.mark.covers("A-12")
def test_a_suspended_account_is_read_only_at_once_and_active_again_as_soon(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = make_api_key(cast.account)

    def put(status: str) -> None:
        with tenant(cast.account):
            account = Account.objects.get()
            account.status = status
            account.save(update_fields=["status", "updated_at"])

    change_while_it_is_read(monkeypatch, plain, lambda: put(Account.Status.SUSPENDED))
    api = ApiClient(key=plain)
    assert api.post("contacts", {"name": "Zoë"}).status == 403
    put(Account.Status.ACTIVE)
    assert api.post("contacts", {"name": "Zoë"}).status == 201


def test_keys_of_somebody_who_was_switched_off_end_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = make_api_key(cast.account)
    change_while_it_is_read(monkeypatch, plain, lambda: switch_off(cast.alice, actor=SYSTEM))
    assert recognise(plain) is None


def test_a_key_that_nobody_changes_is_read_from_the_database_once(cast: Cast, django_assert_num_queries: Any) -> None:
    plain = make_api_key(cast.account)
    recognise(plain)
    with django_assert_num_queries(0):
        assert recognise(plain) is not None
