"""The operator's side of the ledger: prices, limits and who spends."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.metering import Line, QuantityLimitReached, reserve
from apps.accounts.metering.holding import Holdings, Waste
from apps.accounts.metering.prices import load_declared
from apps.accounts.models import Limit, Price
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject
from apps.vault.models import AuditEntry
from tests.accounts.admin.test_screens import do, listed, page, text
from tests.accounts.metering.conftest import CALL, limit, price, use
from tests.accounts.signin.people import platform_trail
from tests.factories import make_account, make_api_key

pytestmark = [pytest.mark.covers("X-03", "P-08"), pytest.mark.django_db(transaction=True)]


def test_a_price_is_set_changed_and_removed_and_the_operators_trail_says_so(admin: Client) -> None:
    values = {"unit": "pages", "item": "acme/*", "amount": "0.5", "per": "1000"}
    begins = {"starts_at_0": "2026-01-01", "starts_at_1": "00:00:00"}
    assert admin.post(page("accounts_price_add"), {**values, **begins}).status_code == 302
    row = Price.objects.get(unit="pages")
    assert (row.unit_price, row.origin) == (Decimal("0.0005"), "operator")
    assert "0.5 USD per 1,000" in listed(admin, "accounts_price")
    assert admin.post(page("accounts_price_change", row.pk), {"amount": "0.7", "per": "1000"}).status_code == 302
    assert Price.objects.get(unit="pages").amount == Decimal("0.7")
    do(admin, row, "remove")
    assert not Price.objects.filter(unit="pages").exists()
    assert sorted(entry.action for entry in platform_trail() if entry.action.startswith("price.")) == [
        "price.removed", "price.set", "price.set",
    ]  # fmt: skip


def test_a_price_that_came_with_the_product_is_not_changed_and_not_lost(admin: Client) -> None:
    row = Price.objects.get(unit="calls", item="*", origin="declared")
    assert admin.post(page("accounts_price_change", row.pk), {"amount": "9", "per": "1"}).status_code == 403
    price("calls", "*", "2", starts_at=row.starts_at)
    with platform("as after a migration"):
        assert load_declared() == 0
    assert sorted(Price.objects.filter(unit="calls").values_list("origin", "amount")) == [
        ("declared", 0),
        ("operator", 2),
    ]


def test_the_operator_limits_an_account_and_its_trail_says_so(admin: Client) -> None:
    account = make_account("Harbour & Pine")
    values = {
        "account": account.pk, "scope": "account", "measure": "quantity", "unit": "calls", "period": "month",
        "amount": "2", "hard": "on",
    }  # fmt: skip
    assert admin.post(page("accounts_limit_add"), values).status_code == 302
    with tenant(account):
        row = Limit.objects.get()
        assert AuditEntry.objects.filter(action="limit.set").count() == 1
    assert row.set_by == "operator"
    use(account, CALL, CALL)
    with pytest.raises(QuantityLimitReached):
        reserve("chat", CALL, account=account)
    assert "2 calls" in listed(admin, "accounts_limit")
    assert admin.post(page("accounts_limit_change", row.pk), {"amount": "5"}).status_code == 302
    reserve("chat", CALL, account=account)
    do(admin, row, "remove")
    with tenant(account):
        assert not Limit.objects.exists()


def test_the_list_of_limits_asks_as_often_for_many_accounts_as_for_one(admin: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            listed(admin, "accounts_limit")
        return len(queries)

    first = make_account("Harbour & Pine")
    limit(first, 40)
    use(first, CALL, CALL)
    asked()  # what is looked up once
    alone = asked()
    for number in range(6):
        other = make_account(f"Company {number} of six")
        limit(other, 40)
        limit(other, 9, measure="cost", period="month")
        if number % 2:
            use(other, *[CALL] * (number + 2))
    assert asked() <= alone + 2, "a query for each kind of period, not for each limit"
    shown = listed(admin, "accounts_limit")
    assert all(f"{number} calls" in shown for number in (0, 2, 3, 5, 7))


def test_a_limit_that_makes_no_sense_is_explained(admin: Client) -> None:
    account = make_account()
    values = {"account": account.pk, "scope": "member", "measure": "cost", "period": "month", "amount": "2"}
    answer = admin.post(page("accounts_limit_add"), values, follow=True)
    assert "A limit of this scope needs it." in text(answer)


def test_a_limit_of_a_key_is_changed_at_the_key(admin: Client) -> None:
    account = make_account()
    make_api_key(account, cost_limit_per_month=Decimal(5))
    with tenant(account):
        row = Limit.objects.get()
    assert admin.post(page("accounts_limit_change", row.pk), {"amount": "9"}).status_code == 403


def test_who_spends_and_what_has_no_price_is_on_the_first_page(admin: Client) -> None:
    account = make_account("Harbour & Pine")
    price("searches", "zerodb", "0.25", starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    use(account, Line("searches", 10, "zerodb"))
    use(account, Line("pages", 1, "acme"))
    first = text(admin.get(page("index")))
    assert "$2.50" in first
    assert "Harbour &amp; Pine leads with $2.50" in first
    assert "pages of acme" in first
    limit(account, 3)
    shown = text(admin.get(page("accounts_account_change", account.pk)))
    assert "$2.50 in 2 calls; 1 line has no price and is not in it" in shown
    assert "Whole account" in shown
    use(make_account(), CALL, CALL, CALL, CALL)
    assert "0 calls" in listed(admin, "accounts_limit"), "another account's use is not this one's"
    day = listed(admin, "accounts_dailyusage", account__id__exact=account.pk)
    assert "searches" in day
    assert "unknown" in day


def test_the_operator_sees_what_all_accounts_cost_and_takes_it_away_as_files(admin: Client) -> None:
    account = make_account("=Harbour & Pine")
    use(account, Line("searches", 500, "zerodb"), source="zerodb")
    answer = admin.get(page("costs"))
    words = text(answer)
    assert "Cost this month" in words and "$5.00" in words and "=Harbour" in words
    assert "$0.00" not in words, "the table begins with the first month in which anything was used"
    rows = admin.get(f"{page('costs')}?file=accounts").content.decode().splitlines()
    assert rows[0] == "account,name,cost_usd,ai_data_usd,unpriced"
    assert rows[1] == f"{account.pk},'=Harbour & Pine,5,5,0"
    months = admin.get(f"{page('costs')}?file=months").content.decode().splitlines()
    assert len(months) == 13
    assert months[-1].endswith(",5,5,0")


def test_an_accounts_page_shows_the_estimate_as_a_table(admin: Client) -> None:
    account = make_account("Harbour & Pine")
    with tenant(account):
        project, _ = AINativeProject.objects.get_or_create()
        project.status = AINativeProject.Status.READY
        project.take_credentials(str(project.pk), "key" * 10)
        project.save()
    cache.set(f"zerodb-holdings:{account.pk}", Holdings(48210, Decimal("0.62"), Waste(duplicates=1000)), 60)
    words = text(admin.get(page("accounts_account_change", account.pk)))
    assert "Estimated cost" in words
    for part in ("Vectors stored", "48,210", "$48.21", "Searches", "Memory, GB", "0.62, 1 free", "$0.001", "Total"):
        assert part in words
    assert "About $1.00 a month could be saved" in words


def test_a_part_that_is_free_belongs_to_what_is_held_alone(admin: Client) -> None:
    values = {"item": "zerodb", "amount": "0.2", "per": "1", "starts_at_0": "2026-02-01", "starts_at_1": "00:00:00"}
    refused = admin.post(page("accounts_price_add"), {**values, "unit": "searches", "free": "100"}, follow=True)
    assert "Only what is held has a part that is free" in text(refused)
    assert not Price.objects.filter(unit="searches", origin="operator").exists()
    assert admin.post(page("accounts_price_add"), {**values, "unit": "memory_gb", "free": "2"}).status_code == 302
    assert "0.2 USD, 2 free" in text(admin.get(f"{page('accounts_price_changelist')}?q=memory_gb"))
