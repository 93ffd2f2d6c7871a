"""``POST conversations/search`` by words, and by both."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.features import forget_account
from apps.accounts.jobs.running import run
from apps.accounts.metering.limits import set_limit
from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.reindexing import hurry, queue_indexing
from apps.integrations.models import AINativeProject
from apps.vault.messages import change_setting
from tests.api_client import ApiClient, by_key
from tests.chat.conftest import SYSTEM, Say
from tests.factories import add_member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]


@pytest.fixture
def api(account: Account) -> ApiClient:
    return by_key(account, Role.OWNER)


def index(account: Account) -> None:
    with tenant(account):
        hurry()
        job = queue_indexing(SYSTEM)
    assert run(account.id, job.id) == "done"


def search(api: ApiClient, query: str, **options: Any) -> Any:
    answer = api.post("conversations/search", {"query": query, **options})
    assert answer.status == 200, answer.content
    return answer.json


def found(answer: Any) -> list[str]:
    return [hit["conversation"]["id"] for hit in answer["results"]]


def test_words_find_what_holds_most_of_them_first(api: ApiClient, account: Account, say: Say) -> None:
    some = say(account, "The invoice has a wrong address.")
    most = say(account, "Invoice ZX-4471 was paid in March.")
    say(account, "Good morning.")
    answer = search(api, "who paid invoice ZX-4471", mode="words")
    assert found(answer) == [str(most.pk), str(some.pk)]
    assert answer["results"][0]["score"] > answer["results"][1]["score"] > 0
    assert answer["notices"] == []


def test_quotes_ask_for_exactly_that(api: ApiClient, account: Account, say: Say) -> None:
    exact = say(account, "The wrong invoice came.")
    say(account, "The invoice was wrong.")
    assert found(search(api, '"wrong invoice"', mode="words")) == [str(exact.pk)]
    fault = api.post("conversations/search", {"query": "zx*", "mode": "words"})
    assert fault.faults == {"query": "prefix_too_short"}


def test_both_find_the_exact_number_and_what_means_the_same(api: ApiClient, account: Account, say: Say) -> None:
    parcel = say(account, "My parcel has not arrived yet.")
    number = say(account, "Please cancel ZX-4471.")
    say(account, "I forgot my password and cannot sign in.")
    index(account)
    assert found(search(api, "ZX-4471"))[0] == str(number.pk)
    assert found(search(api, "Where is my delivery?"))[0] == str(parcel.pk)


def test_what_cannot_be_asked_is_told_and_the_other_half_answers(api: ApiClient, account: Account, say: Say) -> None:
    parcel = say(account, "My parcel has not arrived yet.")
    index(account)
    with tenant(account):
        AINativeProject.objects.update(status=AINativeProject.Status.FAILED)
    answer = search(api, "parcel")
    assert found(answer) == [str(parcel.pk)]
    assert ["Only words were searched." in notice for notice in answer["notices"]] == [True]
    with tenant(account):
        AINativeProject.objects.update(status=AINativeProject.Status.READY)
        forget_account(account.pk)  # else it is noticed some seconds later
        change_setting(actor=SYSTEM, enabled=False)
    answer = search(api, "parcel")
    assert found(answer) == [str(parcel.pk)]
    assert ["switched off" in notice for notice in answer["notices"]] == [True]


@pytest.mark.covers("X-07")
def test_a_limit_that_is_used_up_leaves_the_search_by_words(account: Account, api: ApiClient, say: Say) -> None:
    parcel = say(account, "My parcel has not arrived yet.")
    index(account)
    with tenant(account):
        set_limit(actor=SYSTEM, amount=Decimal(1), scope="source", source="zerodb", measure="quantity", unit="searches")
    assert search(api, "delivery")["notices"] == []
    answer = search(api, "parcel")
    assert found(answer) == [str(parcel.pk)]
    (notice,) = answer["notices"]
    assert notice.startswith("The limit of AI data is reached: 1 search a month, 1 search used. It resets on ")
    assert notice.endswith("Only words were searched.")
    assert api.post("conversations/search", {"query": "parcel", "mode": "meaning"}).status == 429

    browser = Client()
    browser.force_login(add_member(account, Role.VIEWER).user)
    page = browser.get(f"/app/{account.slug}/inbox/search/?q=parcel&mode=meaning")
    text = page.content.decode()
    assert page.status_code == 200 and 'value="parcel"' in text
    assert "The limit of AI data is reached" in text and "Search by words instead" in text

    with tenant(account):
        change_setting(actor=SYSTEM, enabled=False)
    assert api.post("conversations/search", {"query": "parcel"}).status == 429, "nothing at all could be asked"


@pytest.mark.covers("A-09")
def test_a_key_that_has_used_up_its_own_limit_does_nothing(account: Account, say: Say) -> None:
    say(account, "My parcel has not arrived yet.")
    index(account)
    poor = by_key(account, Role.MEMBER, cost_limit_per_month=Decimal("0.001"))
    answer = poor.post("conversations/search", {"query": "parcel"})
    assert (answer.status, answer.json["code"]) == (402, "cost_limit_reached"), "a search costs 0.01"
    assert poor.post("conversations/search", {"query": "parcel", "mode": "words"}).status == 200
