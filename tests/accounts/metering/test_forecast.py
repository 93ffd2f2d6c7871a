"""Where a month is going, who costs most, and how it went before."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from apps.accounts.metering.forecast import forecast, top_accounts, trend
from apps.accounts.metering.holding import Holdings, Waste
from apps.accounts.models import Account, DailyUsage
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject
from tests.accounts.pages.conftest import signed_in
from tests.factories import Cast, make_account, make_api_key

pytestmark = [pytest.mark.covers("P-08", "P-09"), pytest.mark.django_db]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def spent(account: Account, day: date, cost: str, unit: str = "searches", source: str = "zerodb") -> None:
    with tenant(account):
        DailyUsage.objects.create(day=day, source=source, unit=unit, item="zerodb", cost=Decimal(cost), quantity=1)


def test_the_rest_of_the_month_goes_on_at_the_rate_of_the_last_seven_days(cast: Cast) -> None:
    for day in range(1, 14):
        spent(cast.account, date(2026, 11, day), "100")  # before the window: it does not go on like that
    for day in range(14, 22):
        spent(cast.account, date(2026, 11, day), "1.50" if day == 21 else "3")
    with tenant(cast.account):
        found = forecast(NOW)
    assert found.spent == Decimal("1322.5")
    assert found.rate == 3, "seven days at 3 and half a day at 1.50, in 7.5 days"
    assert found.expected == Decimal("1322.5") + 3 * Decimal("9.5")


def test_what_is_held_is_counted_once_a_month_and_stays_as_it_is(cast: Cast) -> None:
    spent(cast.account, date(2026, 11, 21), "50", unit="vectors")
    spent(cast.account, date(2026, 11, 21), "1")
    with tenant(cast.account):
        found = forecast(NOW)
    assert found.rate == 1, "one day at least, so that one morning is not a month"
    assert found.expected == Decimal(51) + Decimal("9.5")


def test_a_month_in_which_nothing_was_used_costs_nothing(cast: Cast) -> None:
    with tenant(cast.account):
        assert forecast(NOW).expected == 0


def test_the_platform_sees_its_total_its_dearest_accounts_and_the_months_before(cast: Cast) -> None:
    other = make_account("Kestrel Freight")
    spent(cast.account, date(2026, 11, 2), "5")
    spent(cast.account, date(2026, 11, 2), "1", unit="output_tokens", source="chat")
    spent(other, date(2026, 11, 20), "9", source="chat")
    spent(other, date(2026, 9, 30), "4")
    with platform("look"):
        assert forecast(NOW).spent == 15
        top = [(one.name, one.cost, one.of_source) for one in top_accounts(NOW, "zerodb", 10)]
        months = trend(NOW, "zerodb", 3)
    assert top == [("Kestrel Freight", 9, 0), (cast.account.name, 6, 5)]
    assert [(one.month.month, one.cost, one.of_source) for one in months] == [(9, 4, 4), (10, 0, 0), (11, 15, 5)]


# --- seen by the account


@pytest.fixture
def held(cast: Cast) -> None:
    with tenant(cast.account):
        project, _ = AINativeProject.objects.get_or_create()
        project.status = AINativeProject.Status.READY
        project.take_credentials(str(project.pk), "key" * 10)
        project.save()
    waste = Waste(duplicates=1000, namespaces=[("old", 2000)])
    cache.set(f"zerodb-holdings:{cast.account.id}", Holdings(48210, Decimal("0.62"), waste), 60)


@pytest.mark.usefixtures("held")
def test_the_api_tells_the_estimate_and_what_could_be_saved(cast: Cast) -> None:
    key = make_api_key(cast.account, Role.OWNER)
    answer = Client().get("/api/v1/account/costs", headers={"Authorization": f"Bearer {key}"}).json()
    found = answer["estimate"]
    assert {name: found[name] for name in ("vectors", "searches", "memory", "total", "currency")} == {
        "vectors": "48.21",
        "searches": "0",
        "memory": "0",
        "total": "48.21",
        "currency": "USD",
    }
    assert found["quantities"] == {"vectors": "48210", "searches": "0", "memory_gb": "0.62"}
    assert [(one["kind"], one["saving"]) for one in found["suggestions"]] == [("namespaces", "2"), ("duplicates", "1")]
    assert answer["forecast"] == {"spent": "0", "expected": "0"}


@pytest.mark.usefixtures("held")
def test_the_page_shows_the_estimate_and_gives_it_as_a_file(cast: Cast) -> None:
    owner = signed_in(cast.alice)
    page = owner.get(f"/app/{cast.account.slug}/usage/").content.decode()
    assert "AI data, estimate for November" in page
    assert "48,210" in page and "$48.21" in page and "You could save about $3.00 a month" in page
    text = owner.get(f"/app/{cast.account.slug}/usage/estimate/").content.decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[1] == ["vectors", "48210", "0", "0.001", "48.21", "USD"]
    assert ["total", "", "", "", "48.21", "USD"] in rows
    assert ["could save: namespaces", "2000", "", "", "-2", "USD"] in rows


def test_an_account_without_a_project_is_shown_no_estimate(cast: Cast) -> None:
    assert "AI data, estimate" not in signed_in(cast.alice).get(f"/app/{cast.account.slug}/usage/").content.decode()
