"""``rate_limit_per_hour``: said with every answer, held under any parallelism, nothing done beyond it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from apps.accounts.call_limits import count_call
from apps.accounts.models import APIKey
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-09")]

HALF_PAST = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def test_each_answer_says_where_the_key_stands(cast: Cast) -> None:
    limited = by_key(cast.account, rate_limit_per_hour=2)
    with time_machine.travel(HALF_PAST, tick=False):
        first, refused = limited.get("contacts"), limited.get("nowhere")
    assert first.status == 200
    assert first.headers["X-RateLimit-Limit"] == "2"
    assert first.headers["X-RateLimit-Remaining"] == "1"
    assert int(first.headers["X-RateLimit-Reset"]) == int((HALF_PAST + timedelta(minutes=30)).timestamp())
    assert refused.status == 404
    assert refused.headers["X-RateLimit-Remaining"] == "0"


def test_beyond_the_limit_nothing_is_done_and_the_answer_says_when_to_come_back(cast: Cast) -> None:
    limited = by_key(cast.account, rate_limit_per_hour=1)
    with time_machine.travel(HALF_PAST, tick=False):
        assert limited.post("contacts", {"name": "First"}).status == 201
        over = limited.post("contacts", {"name": "Second"}, Idempotency_Key="again")
    assert over.status == 429
    assert over.code == "rate_limited"
    assert over.headers["Retry-After"] == "1800"
    assert over.headers["X-RateLimit-Remaining"] == "0"
    assert "1 request an hour" in over.json["detail"]
    assert "10:00 UTC" in over.json["detail"]
    with tenant(cast.account):
        assert [contact.name for contact in Contact.objects.all()] == ["First"]


def test_the_next_hour_begins_anew(cast: Cast) -> None:
    limited = by_key(cast.account, rate_limit_per_hour=1)
    with time_machine.travel(HALF_PAST, tick=False) as clock:
        assert [limited.get("account").status for _ in range(2)] == [200, 429]
        clock.shift(timedelta(minutes=30))
        assert limited.get("account").status == 200


def test_a_changed_limit_holds_from_the_next_request_on(cast: Cast) -> None:
    owner = ApiClient(user=cast.alice)
    made = owner.post("api-keys", {"name": "Website", "rate_limit_per_hour": 1}).json
    with time_machine.travel(HALF_PAST, tick=False):
        key = ApiClient(key=made["key"])
        assert [key.get("account").status for _ in range(2)] == [200, 429]
        _raise_limit(cast, made["id"], owner)
        assert key.get("account").status == 200


def _raise_limit(cast: Cast, key_id: str, owner: ApiClient) -> None:
    assert owner.patch(f"api-keys/{key_id}", {"rate_limit_per_hour": None}).status == 200
    with tenant(cast.account):
        key = APIKey.objects.get(pk=key_id)
    from apps.accounts.credentials import forget

    forget(key.key_id)  # after commit, which a test's transaction never comes to


def test_zero_allows_none_and_no_limit_says_nothing(cast: Cast) -> None:
    assert by_key(cast.account, rate_limit_per_hour=0).get("account").status == 429
    free = by_key(cast.account, Role.VIEWER).get("account")
    assert free.status == 200
    assert "X-RateLimit-Limit" not in free.headers


def test_keys_are_counted_each_for_itself(cast: Cast) -> None:
    one, other = (by_key(cast.account, rate_limit_per_hour=1) for _ in range(2))
    assert one.get("account").status == 200
    assert other.get("account").status == 200


def test_parallel_requests_are_counted_one_by_one() -> None:
    key = uuid4()
    with ThreadPoolExecutor(8) as pool:
        spent = list(pool.map(lambda _: count_call(key, 10, now=HALF_PAST), range(40)))
    assert sorted(state.used for state in spent) == list(range(1, 41))
    assert sum(not state.is_over for state in spent) == 10
