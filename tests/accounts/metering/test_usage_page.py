"""Usage and costs in the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from apps.accounts.actors import Actor
from apps.accounts.identifiers import uuid7
from apps.accounts.metering import Line, PriceUnknown, metered
from apps.accounts.metering.counters import current
from apps.accounts.metering.expiring import expire_reservations
from apps.accounts.metering.limits import label_of
from apps.accounts.models import Account, Limit, LimitAlert
from apps.accounts.roles import Role
from apps.accounts.services import update_account as service
from apps.accounts.tenancy.scope import tenant
from apps.integrations.services.connections import connect
from apps.vault.models import AuditEntry
from tests.accounts.metering.conftest import CALL, limit, price, use
from tests.accounts.pages.conftest import signed_in
from tests.factories import Cast
from tests.working import work_off

pytestmark = [pytest.mark.django_db, pytest.mark.covers("X-03")]
SEARCH = Line("searches", 1, "zerodb")


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def owner(cast: Cast) -> Client:
    return signed_in(cast.alice)


def page(client: Client, cast: Cast, query: str = "") -> str:
    answer = client.get(f"/app/{cast.account.slug}/usage/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.covers("X-07")
def test_an_unused_account_is_told_what_will_be_here(owner: Client, cast: Cast) -> None:
    text = page(owner, cast)
    assert "Nothing used in this month" in text
    assert "No budget yet" in text
    assert "Set a budget" in text


def test_a_month_shows_its_cost_what_is_expected_and_what_nobody_knows(owner: Client, cast: Cast) -> None:
    price("searches", "zerodb", "0.5")
    limit(cast.account, 100, measure="cost", allow_unpriced=True)
    use(cast.account, *[SEARCH] * 42)
    use(cast.account, Line("input_tokens", 5, "nobody/knows"))
    text = page(owner, cast)
    assert "$21.00" in text
    expected = re.search(r"about \$([\d.]+) by the end of the month", text)
    assert expected is not None and 21 <= float(expected[1]) <= 21 * 31
    assert "$21.00 of $100.00" in text
    assert "1 entry without a known price is not in it" in text
    assert "nobody/knows" in text
    assert "Unknown" in text
    assert "Set by the operator" in text


@pytest.mark.parametrize("by", ["item", "source", "subject", "member", "key", "day", "nonsense"])
def test_it_is_summed_up_as_asked(owner: Client, cast: Cast, by: str) -> None:
    use(cast.account, CALL, source="workflows")
    assert "What it went on" in page(owner, cast, f"?by={by}")


@pytest.mark.parametrize("month", ["2026-10", "2026-13", "nonsense", "2031-01"])
def test_other_months_can_be_looked_at_and_those_to_come_can_not(owner: Client, cast: Cast, month: str) -> None:
    text = page(owner, cast, f"?month={month}")
    assert ("October 2026" in text) == (month == "2026-10") or "November 2026" in text


def test_a_budget_is_set_changed_and_removed(owner: Client, cast: Cast) -> None:
    base = f"/app/{cast.account.slug}/usage/limits/"
    body = {"target": f"member:{cast.bob.id}", "measure": "cost", "amount": "10", "period": "month", "reached": "stop"}
    assert owner.get(f"{base}new/").status_code == 200
    assert owner.post(f"{base}new/", body).status_code == 302
    with tenant(cast.account):
        row = Limit.objects.get()
    assert (row.scope, row.user_id, row.amount, row.hard, row.set_by) == ("member", cast.bob.id, 10, True, "tenant")
    assert cast.bob.display_name in page(owner, cast)
    owner.post(f"{base}{row.id}/", {"amount": "15.5"})
    with tenant(cast.account):
        assert Limit.objects.get().amount == Decimal("15.5")
    assert "15.5" in owner.get(f"{base}{row.id}/").content.decode()
    assert "Remove the limit" in owner.get(f"{base}{row.id}/remove/").content.decode()
    owner.post(f"{base}{row.id}/remove/")
    with tenant(cast.account):
        assert not Limit.objects.exists()


def test_a_wrong_amount_is_explained_at_its_field(owner: Client, cast: Cast) -> None:
    body = {"target": "account", "measure": "cost", "amount": "", "period": "month", "reached": "stop"}
    answer = owner.post(f"/app/{cast.account.slug}/usage/limits/new/", body)
    assert answer.status_code == 422
    assert "Say how much may be used." in answer.content.decode()


def test_the_month_comes_as_csv(owner: Client, cast: Cast) -> None:
    use(cast.account)
    answer = owner.get(f"/app/{cast.account.slug}/usage/report/?month=2026-11&by=source")
    assert answer.content.decode().splitlines()[1].startswith("chat,Chat,1,0,")
    assert "by-source.csv" in answer.headers["Content-Disposition"]


@pytest.mark.covers("X-07")
def test_a_page_whose_work_does_not_fit_a_limit_says_so_and_does_nothing(
    owner: Client, cast: Cast, monkeypatch: Any
) -> None:
    limit(cast.account, 0)
    real = service.update_account

    def metered_change(*arguments: Any, **values: Any) -> Any:
        real(*arguments, **values)
        with metered("chat", CALL):
            raise AssertionError("not reached")

    monkeypatch.setattr("apps.accounts.pages.settings.update_account", metered_change)
    address = f"/app/{cast.account.slug}/settings/"
    values = {"name": "Other name", "slug": cast.account.slug, "default_region": "GB"}
    answer = owner.post(address, values)
    assert answer.status_code == 429
    text = answer.content.decode()
    assert "The limit of this account is reached: 0 calls an hour" in text
    assert "Usage and limits" in text
    part = owner.post(address, values, headers={"HX-Request": "true"})
    assert "The limit of this account is reached" in part.content.decode()
    with tenant(cast.account):
        assert Account.objects.get().name == "Alice & Co"


# --- alerts


@pytest.mark.django_db(transaction=True)
def test_owners_and_admins_are_told_once_at_each_step(owner: Client, cast: Cast, clock: Any) -> None:
    of = limit(cast.account, 20)
    for number in range(1, 21):
        use(cast.account)
        with tenant(cast.account):
            steps = sorted(LimitAlert.objects.filter(limit=of).values_list("percent", flat=True))
        assert steps == [step for step in (80, 90, 100) if number * 5 >= step]
    assert work_off(cast.account, "limit.alert_mail") == ["done"] * 3
    told = {cast.alice.email, cast.members[Role.ADMIN].email}
    assert {message.to[0] for message in mail.outbox} == told
    assert len(mail.outbox) == 6
    subjects = [message.subject for message in mail.outbox]
    assert sum(subject.startswith("80 % used: calls of the account per hour") for subject in subjects) == 2
    last = next(message for message in mail.outbox if message.subject.startswith("100 %"))
    assert "20 of 20 calls are used. What does not fit is refused" in str(last.body)
    assert f"/app/{cast.account.slug}/usage/" in str(mail.outbox[0].body)
    with tenant(cast.account):
        assert AuditEntry.objects.filter(action="limit.alerted").count() == 3
    assert "what does not fit is refused" in page(owner, cast)
    clock.shift(timedelta(hours=1))
    assert "what does not fit is refused" not in page(owner, cast)
    use(cast.account, *[CALL] * 19, ok=True)
    with tenant(cast.account):
        assert LimitAlert.objects.filter(limit=of).count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_tried_again_tells_nobody_twice(cast: Cast) -> None:
    from apps.accounts.models import Job

    limit(cast.account, 1)
    use(cast.account)
    work_off(cast.account, "limit.alert_mail")
    sent = len(mail.outbox)
    with tenant(cast.account):
        Job.objects.filter(kind="limit.alert_mail").update(status="queued", lease=None)
    work_off(cast.account, "limit.alert_mail")
    assert (sent, len(mail.outbox)) == (2, 2)
    assert expire_reservations(datetime(2027, 1, 1, tzinfo=UTC)) == 0


def test_many_limits_are_summed_up_in_a_few_queries_and_shown_in_pages(
    owner: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    price("searches", "zerodb", "0.5")
    use(cast.account, *[SEARCH] * 3, source="chat")
    with tenant(cast.account):
        for number in range(45):
            Limit.objects.create(
                scope="source",
                source="chat" if number < 2 else f"part {number}",
                amount=Decimal(10),
                period="day" if number % 2 else "month",
                measure="cost" if number % 3 else "quantity",
                unit="" if number % 3 else "searches",
            )
        limits = list(Limit.objects.order_by("id"))
        with django_assert_max_num_queries(4):
            found = current(limits)
        assert [found[one.id].used for one in limits[:3]] == [3, Decimal("1.5"), 0]
    first = page(owner, cast)
    assert "1–20 of 45" in first
    assert first.count('class="sr-budget"') == 20
    assert page(owner, cast, "?budgets=3").count('class="sr-budget"') == 5


def test_people_read_words_and_programs_keep_the_names_of_machines(owner: Client, cast: Cast) -> None:
    with tenant(cast.account):
        connection = connect(
            actor=Actor.system("test"),
            category="communication",
            provider_name="twilio",
            name="Marketing",
            credentials={"account_sid": "AC" + "0" * 32, "auth_token": "0" * 32},
        )
    use(cast.account, Line("messages", 2, "twilio/sms"), source="integrations", subject=connection.pk)
    use(cast.account, SEARCH, source="zerodb")
    use(cast.account, Line("input_tokens", 5, "anthropic/claude-sonnet-4-6"))
    text = page(owner, cast)
    for words in ("Twilio · Text messages", "AI data", "Anthropic · claude-sonnet-4-6"):
        assert f'<span class="b">{words}</span>' in text
    assert "zerodb" not in text and "twilio/sms" not in text
    assert "Twilio (Marketing)" in page(owner, cast, "?by=subject")
    file = owner.get(f"/app/{cast.account.slug}/usage/report/?by=item").content.decode()
    assert "twilio/sms,Twilio · Text messages," in file and "zerodb,AI data," in file


def test_a_limit_and_an_unknown_price_are_named_in_words() -> None:
    assert label_of(Limit(scope="source", source="zerodb", measure="cost", period="month")) == (
        "cost of AI data per month"
    )
    assert "what messages of Twilio · Text messages cost" in str(PriceUnknown(uuid7(), "messages", "twilio/sms"))
