"""What an AI project holds: estimated, counted into the ledger, limited, and what could be saved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache

from apps.accounts.metering import CostLimitReached, Line, PriceUnknown, metered
from apps.accounts.metering.estimating import Estimate, estimate
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account, Counter, DailyUsage, Limit, LimitAlert, UsageEvent
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject, ZeroMemory, ZeroVector
from apps.integrations.zerodb import holdings
from apps.integrations.zerodb.client import account_client
from apps.integrations.zerodb.server.store.vectors import NewVector, Search, search_vectors, store_vectors
from apps.integrations.zerodb.server.walls import project as project_scope
from tests.accounts.metering.conftest import OPERATOR, price
from tests.factories import Cast
from tests.stand_ins import zerodb
from tests.threads import at_once
from tests.working import work_off

pytestmark = [pytest.mark.covers("P-08"), pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=120)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    cache.clear()
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(cast: Cast) -> Account:
    return cast.account


@pytest.fixture
def project(account: Account) -> UUID:
    """The account's project at the embedded server."""
    with account_client() as client:
        made = client.create_project(name="Desk")
    with tenant(account):
        AINativeProject.objects.all().delete()
        row = AINativeProject(status=AINativeProject.Status.READY)
        row.take_credentials(made.id, made.api_key or "")
        row.save()
    return UUID(made.id)


def texts(project: UUID, namespace: str, *documents: str, at: datetime = NOW) -> None:
    """Vectors that differ a little, named by their place."""
    with project_scope(project):
        new = [
            NewVector(f"{namespace}-{number}", [1.0, number / 1000, *[0.0] * 382], document)
            for number, document in enumerate(documents)
        ]
        store_vectors(namespace, new, overwrite=True)
        ZeroVector.objects.filter(namespace=namespace).update(created_at=at)


def found(project: UUID, namespace: str, limit: int = 1) -> None:
    with project_scope(project):
        search_vectors(Search(namespace, [1.0, 0.0, *[0.0] * 382], limit), with_values=False)


def estimated(account: Account) -> Estimate:
    cache.clear()
    with tenant(account):
        made = estimate(account.id, datetime.now(UTC))
    assert made is not None
    return made


def search(account: Account, times: int = 1) -> None:
    for _ in range(times):
        with tenant(account), metered("zerodb", Line("searches", 1, "zerodb"), actor=OPERATOR):
            pass


def test_an_estimate_is_vectors_searches_and_memory_beyond_what_is_free(account: Account, project: UUID) -> None:
    texts(project, "conversations", *(f"text {number}" for number in range(30)))
    search(account, 4)
    made = estimated(account)
    assert (made.vectors, made.searches, made.memory) == (Decimal("0.03"), Decimal("0.04"), 0)
    assert (made.total, made.currency) == (Decimal("0.07"), "USD")
    price("memory_gb", "zerodb", "2000000")  # nothing free: the operator's price holds
    with project_scope(project):
        ZeroMemory.objects.create(content="Likes tea", dimensions=384, embedding=[0.1] * 384, model="m")
    memory = estimated(account).memory
    assert memory is not None
    assert 2 < memory < 6, "about two kilobytes"


def test_a_price_that_begins_within_the_month_holds_for_what_is_searched_from_then_on(
    account: Account, project: UUID, clock: Any
) -> None:
    search(account, 3)
    price("searches", "zerodb", "0.05", NOW + timedelta(days=2))
    assert estimated(account).searches == Decimal("0.03")
    clock.move_to(NOW + timedelta(days=2))
    search(account, 2)
    made = estimated(account)
    assert (made.parts[1].amount, made.searches) == (5, Decimal("0.03") + Decimal("0.10"))
    price("searches", "zerodb", "0.02", NOW - timedelta(days=1))  # entered late: the first three were made after it
    assert estimated(account).searches == Decimal("0.06") + Decimal("0.10")


def test_the_first_gigabyte_is_free_as_data_of_the_price(account: Account, project: UUID) -> None:
    cache.set(f"zerodb-holdings:{account.id}", holdings.Holdings(0, Decimal("3.5")), 60)
    with tenant(account):
        made = estimate(account.id, NOW)
    assert made is not None
    assert (made.memory, made.total) == (Decimal("0.25"), Decimal("0.25"))
    (one,) = made.suggestions
    assert (one.kind, one.count, one.saving) == ("memory", Decimal("2.5"), Decimal("0.25"))


def test_an_unknown_price_or_amount_makes_the_total_unknown_and_not_smaller(
    account: Account, project: UUID, settings: Any
) -> None:
    texts(project, "conversations", "one")
    settings.CURRENCY = "EUR"
    made = estimated(account)
    assert (made.vectors, made.searches, made.total) == (None, 0, None)
    assert made.known == 0
    price("vectors", "zerodb", "0.002")
    price("memory_gb", "zerodb", "0.10")
    assert estimated(account).vectors == Decimal("0.002")


def test_without_a_project_there_is_nothing_to_estimate(account: Account) -> None:
    with tenant(account):
        AINativeProject.objects.all().delete()
        assert estimate(account.id, NOW) is None


def test_suggestions_name_what_is_wasted_once_and_what_it_costs(account: Account, project: UUID) -> None:
    texts(project, "conversations", "a", "a", "a", "b", "c")
    texts(project, "old", "x", "y", "y", at=LONG_AGO)
    texts(project, "mixed", "found", "not found", at=LONG_AGO)
    found(project, "mixed")
    saves = {one.kind: (one.count, one.saving) for one in estimated(account).suggestions}
    assert saves == {
        "duplicates": (2, Decimal("0.002")),
        "stale": (1, Decimal("0.001")),
        "namespaces": (3, Decimal("0.003")),
    }
    words = [one.words for one in estimated(account).suggestions]
    assert words[0] == "3 vectors lie in namespaces that no search has used for 90 days: old"
    assert "1 vector has not been found by any search for 90 days" in words


def test_what_a_search_finds_is_not_stale_until_90_days_later(account: Account, project: UUID, clock: Any) -> None:
    texts(project, "old", "x", at=LONG_AGO)
    found(project, "old")
    assert estimated(account).suggestions == ()
    clock.shift(timedelta(days=6))
    found(project, "old")
    clock.shift(timedelta(days=83))
    assert estimated(account).suggestions == ()
    clock.shift(timedelta(days=8))
    assert [one.kind for one in estimated(account).suggestions] == ["namespaces"]


def test_vectors_whose_origin_is_gone_are_named(
    account: Account, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "_origins", {})
    holdings.declare_origin("conversations", lambda namespace, ids: {one for one in ids if one.endswith("-0")})
    texts(project, "conversations", "a", "b", "b")
    assert [(one.kind, one.count) for one in estimated(account).suggestions] == [("gone", 2)]


def counted(account: Account) -> dict[str, tuple[Decimal, Decimal]]:
    """Quantity and cost of each unit in this month."""
    first = datetime.now(UTC).date().replace(day=1)
    with tenant(account):
        rows = DailyUsage.objects.filter(source="zerodb", day__gte=first)
        return {
            unit: (
                sum(row.quantity for row in rows if row.unit == unit),
                sum(row.cost for row in rows if row.unit == unit),
            )
            for unit in {row.unit for row in rows}
        }


def test_a_month_costs_what_was_held_in_it_at_most_whenever_it_is_counted(
    account: Account, project: UUID, clock: Any
) -> None:
    texts(project, "conversations", *map(str, range(10)))
    assert holdings.count_all(datetime.now(UTC)) == 1
    assert holdings.count_all(datetime.now(UTC)) == 0
    texts(project, "conversations", *map(str, range(12)))
    assert holdings.count_all(datetime.now(UTC)) == 1
    assert counted(account) == {"vectors": (12, Decimal("0.012"))}
    clock.shift(timedelta(days=1))
    texts(project, "conversations", *map(str, range(15)))
    holdings.count_all(datetime.now(UTC))
    clock.shift(timedelta(days=1))
    with project_scope(project):
        ZeroVector.objects.filter(external_id="conversations-3").delete()
    assert holdings.count_all(datetime.now(UTC)) == 0
    assert counted(account) == {"vectors": (15, Decimal("0.015"))}
    with tenant(account):
        assert sum(DailyUsage.objects.values_list("calls", flat=True)) == 0, "what is held is no call"
    clock.move_to(datetime(2026, 12, 1, 1, tzinfo=UTC))
    holdings.count_all(datetime.now(UTC))
    assert counted(account) == {"vectors": (14, Decimal("0.014"))}


def shown(account: Account) -> int:
    """Vectors, for somebody who looks."""
    with tenant(account):
        found = holdings.read(account.id)
    return 0 if found is None else found.vectors


def test_what_changed_is_counted_at_once_and_then_not_for_some_minutes(account: Account, project: UUID) -> None:
    texts(project, "conversations", "a")
    assert shown(account) == 1
    texts(project, "conversations", "a", "b")
    assert shown(account) == 1
    assert holdings.count_changed(account.id, NOW)
    assert shown(account) == 2, "who looks sees what was counted"
    texts(project, "conversations", *map(str, range(5)))
    assert not holdings.count_changed(account.id, NOW)
    assert counted(account)["vectors"][0] == 2
    cache.delete(f"zerodb-counted:{account.id}")  # some minutes later
    assert holdings.count_changed(account.id, NOW)
    assert counted(account)["vectors"][0] == 5


def test_many_who_count_at_once_count_once(account: Account, project: UUID) -> None:
    texts(project, "conversations", *map(str, range(8)))
    assert sum(at_once(*[lambda: holdings.count_all(NOW)] * 4)) == 1
    assert counted(account)["vectors"][0] == 8


def test_what_is_there_in_passing_is_neither_charged_nor_called_waste(
    account: Account, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "_passing", {"conversations": lambda: {"conversations-2"}})
    monkeypatch.setattr(holdings, "_origins", {"conversations": lambda namespace, ids: set()})
    texts(project, "conversations-1", "a", "b")
    texts(project, "conversations-2", "a", "b", at=LONG_AGO)
    made = estimated(account)
    assert made.vectors == Decimal("0.002")
    assert [(one.kind, one.count) for one in made.suggestions] == [("gone", 2)]
    holdings.count_all(NOW)
    assert counted(account) == {"vectors": (2, Decimal("0.002"))}


def test_a_server_elsewhere_is_asked_in_the_background_and_its_silence_harms_nobody(
    account: Account, elsewhere: zerodb.StandIn
) -> None:
    with account_client() as client:
        made = client.create_project(name="Desk")
    with tenant(account):
        AINativeProject.objects.all().delete()
        row = AINativeProject(status=AINativeProject.Status.READY)
        row.take_credentials(made.id, made.api_key or "")
        row.save()
    with tenant(account):
        made_estimate = estimate(account.id, NOW)
    assert made_estimate is not None
    assert (made_estimate.vectors, made_estimate.memory, made_estimate.total) == (0, None, None)
    assert holdings.count_all(NOW) == 0


# --- budgets


def budget(account: Account, amount: str, **more: Any) -> Limit:
    with tenant(account):
        return set_limit(actor=OPERATOR, amount=Decimal(amount), scope="source", source="zerodb", **more)


@pytest.mark.covers("P-08", "X-03")
def test_a_budget_of_ai_data_counts_searches_and_what_is_held_tells_and_refuses(
    account: Account, project: UUID
) -> None:
    row = budget(account, "0.10")
    texts(project, "conversations", *map(str, range(50)))
    holdings.count_all(NOW)
    search(account, 3)  # 0.05 + 0.03
    with tenant(account):
        assert list(LimitAlert.objects.values_list("percent", flat=True)) == [80]
    search(account, 2)
    with tenant(account):
        told = LimitAlert.objects.order_by("percent").values_list("percent", flat=True)
        assert list(told) == [80, 90, 100]
        assert Counter.objects.get(limit=row).used == Decimal("0.10")
    with pytest.raises(CostLimitReached):
        search(account)
    texts(project, "more", *map(str, range(20)))
    with time_machine.travel(NOW + timedelta(days=1)):
        assert holdings.count_all(NOW + timedelta(days=1)) == 1, "what is held is counted, whatever the limit"
    with tenant(account):
        assert Counter.objects.get(limit=row).used == Decimal("0.12")
    assert work_off(account, "limit.alert_mail") == ["done"] * 3
    assert any(message.subject.startswith("80 % used: cost of AI data per month") for message in mail.outbox)


def test_a_hard_budget_refuses_searches_whose_price_nobody_knows(
    account: Account, project: UUID, settings: Any
) -> None:
    settings.CURRENCY = "EUR"
    budget(account, "5")
    with pytest.raises(PriceUnknown):
        search(account)
    with tenant(account):
        assert not UsageEvent.objects.exists()
